"""Where something may be sent: to the world outside, never to a machine beside ours.

Whoever sets up a webhook could otherwise have our servers ask what only they can reach. Names are looked up when
something is sent, all addresses of a name have to be public, and the connection goes to one that was looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

LONGEST = 500
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))


class AddressRefused(ValueError):
    """``str(error)`` is the sentence."""


@dataclass(frozen=True, slots=True)
class Target:
    """``path`` with the query. ``host`` as it goes into the certificate's name, without brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """As the Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"https": 443, "http": 80}[self.scheme]
        return host if self.port == usual else f"{host}:{self.port}"


def target_read(url: str, *, private: bool = False) -> Target:
    """``private``: plain http and addresses of one's own network are allowed. Raises AddressRefused."""
    if len(url) > LONGEST or not url.isascii() or any(c <= " " or c == "\x7f" or c == "\\" for c in url):
        raise AddressRefused(f"An address is at most {LONGEST} visible ASCII characters; write other letters as %XX.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressRefused("That is no address.") from error
    if parts.scheme not in (("https", "http") if private else ("https",)):
        raise AddressRefused("An address begins with https://.")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("An address holds no name and no password; what is sent is signed instead.")
    if parts.fragment:
        raise AddressRefused("An address has no part after #.")
    host = (parts.hostname or "").rstrip(".")
    if not host or port == 0:
        raise AddressRefused("That address names no machine.")
    literal = _literal(host)
    if literal is not None and not private and not is_public(literal):
        raise AddressRefused(f"{host} is an address of a private network.")
    if literal is None and not _is_name(host, private=private):
        raise AddressRefused(f"{host} is no name of a machine in the world outside.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path)


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_name(host: str, *, private: bool) -> bool:
    """Names of letters, with a dot. What only looks like a name (``0x7f.1``, ``2130706433``) is no name."""
    labels = host.split(".")
    if any(not 0 < len(one) <= 63 or not all(c.isalnum() or c in "-_" for c in one) for one in labels):
        return False
    return private or (len(labels) > 1 and not labels[-1].isdecimal() and not labels[-1].startswith("0x"))


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether it is one of the world outside, also where it is wrapped into another."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and any(address in net for net in _NAT64):
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast and not address.is_reserved


def chosen(found: list[str], *, private: bool = False) -> str:
    """The address to connect to, of those that a name has. Raises AddressRefused where one of them is not public."""
    addresses = [ip_address(text.partition("%")[0]) for text in found]
    if not addresses:
        raise AddressRefused("The name has no address.")
    if not private and not all(is_public(one) for one in addresses):
        raise AddressRefused("The name leads to an address of a private network.")
    first = next((one for one in addresses if isinstance(one, IPv4Address)), addresses[0])
    return str(first)
