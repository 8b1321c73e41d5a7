"""Nothing is sent to a machine beside ours, however its address is written."""

from __future__ import annotations

import random
from ipaddress import ip_address

import pytest

from analysis.webhooks.address import AddressRefused, chosen, is_public, target_read

PRIVATE = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fc00::1", "fd12:3456::1", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1",
    "2002:7f00:1::", "2002:a00:1::", "2001:0:4136:e378:8000:63bf:f5ff:fffe", "2001:db8::1",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450:4001:829::200e"]


@pytest.mark.parametrize("text", PRIVATE)
def test_addresses_that_are_not_of_the_world_outside(text: str) -> None:
    assert not is_public(ip_address(text))
    host = f"[{text}]" if ":" in text else text
    with pytest.raises(AddressRefused):
        target_read(f"https://{host}/hook")
    with pytest.raises(AddressRefused):
        chosen([text])
    for other in PUBLIC:
        with pytest.raises(AddressRefused):
            chosen([other, text])


@pytest.mark.parametrize("text", PUBLIC)
def test_addresses_of_the_world_outside(text: str) -> None:
    assert is_public(ip_address(text))
    assert chosen([text]) == text


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/", "ftp://example.org/", "file:///etc/passwd", "gopher://example.org", "//example.org/",
        "example.org", "", "https://", "https:///x", "https://user:pass@example.org/", "https://user@example.org/",
        "https://example.org/#part", "https://example.org:0/", "https://example.org:99999/", "https://example.org:x/",
        "https://localhost/", "https://internal/", "https://2130706433/", "https://0x7f.1/", "https://0x7f000001/",
        "https://127.1/", "https://0177.0.0.1/", "https://example.org\\@127.0.0.1/", "https://exa mple.org/",
        "https://example.org/\r\nX: y", "https://bücher.example/", "https://example.org/ü", "https://[::1",
        "https://exa%6dple.org/", "https://a..b/", "https://.org/", "https://example.org/" + "x" * 500,
        "https://1.2.3.4.5/", "https://example.org?x\x00", "https://127.0.0.1.:443/", "https://[fe80::1%25eth0]/",
    ],
)  # fmt: skip
def test_what_is_no_address_that_one_may_name(url: str) -> None:
    with pytest.raises(AddressRefused):
        target_read(url)


def test_what_is_one() -> None:
    found = target_read("https://hooks.example.org:8443/a/b?c=d")
    assert (found.host, found.port, found.path, found.authority) == (
        "hooks.example.org", 8443, "/a/b?c=d", "hooks.example.org:8443",
    )  # fmt: skip
    assert target_read("https://example.org").path == "/"
    assert target_read("https://example.org").authority == "example.org"
    assert target_read("https://xn--bcher-kva.example/").host == "xn--bcher-kva.example"
    assert target_read("https://[2606:4700:4700::1111]/").authority == "[2606:4700:4700::1111]"


def test_one_s_own_network_only_where_that_is_allowed() -> None:
    assert target_read("http://localhost:9000/x", private=True).authority == "localhost:9000"
    assert target_read("http://127.0.0.1/x", private=True).port == 80
    assert chosen(["127.0.0.1"], private=True) == "127.0.0.1"
    with pytest.raises(AddressRefused):
        target_read("file:///etc/passwd", private=True)
    with pytest.raises(AddressRefused):
        chosen([])


def test_noise_is_refused_and_breaks_nothing() -> None:
    rng = random.Random(3)
    letters = "htps:/@[].%\\?#0123456789abcdefx-_ \t\nü"
    for _ in range(3_000):
        url = ("https://" if rng.random() < 0.7 else "") + "".join(rng.choices(letters, k=rng.randrange(25)))
        try:
            found = target_read(url)
        except AddressRefused:
            continue
        assert found.scheme == "https"
        assert "." in found.host or ":" in found.host
        assert not any(c in found.host for c in "@/\\?# \t\n")
