"""From where a request came. What a visitor writes into a header is believed only as far as our own proxies vouch."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "unknown"  # over a Unix socket without a proxy that is trusted


def client_address(request: HttpRequest) -> str:
    """The address of whoever asks. With TOONEMO_TRUSTED_PROXIES = n, the n-th from the right of X-Forwarded-For: each
    proxy adds the address it was called from, so all to the left of that is the visitor's own writing.
    """
    direct = _readable(request.META.get("REMOTE_ADDR", ""))
    trusted = settings.TOONEMO_TRUSTED_PROXIES
    if not trusted:
        return direct or UNKNOWN
    told = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    said = _readable(told[-trusted]) if len(told) >= trusted else ""
    return said or direct or UNKNOWN


def counted_address(request: HttpRequest) -> str:
    """As limits count it: of IPv6 the first 64 bits, which one customer of a network has to itself."""
    address = client_address(request)
    if address == UNKNOWN:
        return address
    parsed = ip_address(address)
    return str(IPv6Network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else address


def _readable(text: str) -> str:
    """The address in its usual spelling; empty where it is none. A port is left out."""
    if text.startswith("[") and "]" in text:
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        parsed = ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return str(mapped or parsed)
