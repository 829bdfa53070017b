import ipaddress

import pytest
from fetching import fetch, names, with_fetcher
from hypothesis import given
from hypothesis import strategies as st
from webserver import Web

from feedd.errors import AddressRefused, FetchError
from feedd.fetch import guard
from feedd.fetch.client import Fetcher
from feedd.fetch.values import Access, Ask

REFUSED = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 169.254.169.254
172.16.0.1 172.31.255.255 192.0.0.8 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.7
203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
:: ::1 ::7f00:1 ::8.8.8.8 ::ffff:10.0.0.1 ::ffff:8.8.8.8 64:ff9b::7f00:1 64:ff9b::808:808 64:ff9b:1::1 100::1
2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1 2001:db8::1 2002:7f00:1::1 2002:0a00:0001::
3fff::1 4000::1 5f00::1 fc00::1 fd12:3456::1 fe80::1 fe80::1%1 fec0::1 ff02::1 ffff::
""".split()
PUBLIC = """
1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 128.0.0.1 172.15.255.255 172.32.0.0 192.0.1.1 192.167.1.1
198.17.255.255 198.20.0.0 223.255.255.255 2606:4700::1111 2a00:1450:4001:80b::200e 2001:4860:4860::8888 2003::1
""".split()


@pytest.mark.parametrize("address", REFUSED)
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    assert guard.kind_of(ipaddress.ip_address(address))
    with pytest.raises(AddressRefused, match=r"allow_private = true"):
        guard.reachable("example.org", [address], allow_private=False)
    assert guard.reachable("example.org", [address], allow_private=True) == (address,)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_pass(address: str) -> None:
    assert guard.reachable("example.org", [address], allow_private=False) == (address,)


@given(st.ip_addresses())
def test_no_address_passes_that_the_standard_library_calls_private(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    # the library's newer tables let two anycast blocks within 2001::/23 pass, and its older ones do not
    if guard.kind_of(address) is None:
        kinds = ("private", "multicast", "reserved", "loopback", "link_local", "unspecified")
        assert not [kind for kind in kinds if getattr(address, f"is_{kind}")]


def test_of_a_name_with_public_and_private_addresses_only_the_public_are_tried() -> None:
    mixed = ["10.0.0.1", "8.8.8.8", "::1", "2606:4700::1111", "127.0.0.1"]
    assert guard.reachable("example.org", mixed, allow_private=False) == ("8.8.8.8", "2606:4700::1111")


def test_families_take_turns() -> None:
    found = ["2a00::1", "2a00::2", "2a00::3", "1.1.1.1"]
    assert guard.by_turns(found) == ("2a00::1", "1.1.1.1", "2a00::2", "2a00::3")
    assert guard.by_turns([]) == ()


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("10.0.258", "10.0.1.2"),
        ("8.8.8.8", "8.8.8.8"),
        ("::1", "::1"),
        ("example.org", None),
        ("10.example", None),
        ("localhost", None),
        ("0xdeadbeef.example", None),
    ],
)
def test_hosts_that_spell_an_address(host: str, address: str | None) -> None:
    assert guard.literal(host) == address


@pytest.mark.parametrize(
    "host", ["fe80::1%eth0", "fe80::1%25eth0", "1.2.3.4.5", "256.256.256.256", "a.1", "1::2::3"]
)
def test_hosts_that_spell_no_address(host: str) -> None:
    with pytest.raises(FetchError, match="no network address"):
        guard.literal(host)


SPELLINGS = [
    "http://127.0.0.1:{port}/",
    "http://127.1:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f.1:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://0:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://localhost:{port}/",
    "http://localhost.:{port}/",
    "http://LOCALHOST:{port}/",
    "http://public.example@127.0.0.1:{port}/",
    "http://public.example:80@127.0.0.1:{port}/",
    "http://public.example\\@127.0.0.1:{port}/",
    "http://[::1]:{port}/",
    "http://[::]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:10.0.0.1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://１２７.0.0.1:{port}/",
    "http://%31%32%37.0.0.1:{port}/",
    "http://127.0.0.1%00.example.org:{port}/",
    "http://[fe80::1%25lo]:{port}/",
    "http://rebound.example:{port}/",
    "https://127.0.0.1:{port}/",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_of_an_address_gets_through(spelling: str) -> None:
    with Web() as web:
        web.page("/", "secret")
        with pytest.raises(FetchError):
            fetch(spelling.format(port=web.port), allow_private=False)
        assert web.connections == 0


def test_the_system_resolver_is_guarded_too() -> None:
    async def work(fetcher: Fetcher) -> None:
        with pytest.raises(AddressRefused, match=r"localhost is at .* loopback address; set allow_private"):
            await fetcher.fetch(Ask(f"http://localhost:{web.port}/", Access(timeout_s=5)))

    with Web() as web:
        with_fetcher(work)
        assert web.connections == 0


def test_a_connection_made_without_the_guard_does_not_serve_behind_it() -> None:
    async def work(fetcher: Fetcher) -> None:
        loose = Access(allow_private=True, host_interval_s=0)
        await fetcher.fetch(Ask(web.url + "/", loose))
        await fetcher.fetch(Ask(web.url + "/", loose))
        with pytest.raises(AddressRefused):
            await fetcher.fetch(Ask(web.url + "/", loose._replace(allow_private=False)))

    with Web() as web:
        web.page("/", "x")
        with_fetcher(work)
        assert web.connections == 1
        assert len(web.requests) == 2


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:{port}/secret",
        "http://[::ffff:10.0.0.1]/",
        "http://2130706433:{port}/secret",
        "http://intranet.example:{port}/secret",
        "//10.0.0.1/",
    ],
)
def test_each_redirect_is_guarded(target: str) -> None:
    """The first hop goes through a proxy, whose address is the operator's choice, so that it can be on loopback."""
    with Web() as web:
        web.redirect("http://public.example/", target.format(port=web.port))
        web.page("/secret", "secret")
        resolve = names(public_example=["8.8.8.8"], intranet_example=["10.0.0.1"])
        with pytest.raises(AddressRefused):
            fetch("http://public.example/", proxy=web.url, allow_private=False, resolve=resolve)
        assert [request.path for request in web.requests] == ["http://public.example/"]


def test_a_proxy_is_not_asked_for_a_name_with_any_private_address() -> None:
    resolve = names(public_example=["8.8.8.8", "10.0.0.1"])
    told = r"public\.example is at 10\.0\.0\.1, a private address"
    with Web() as web, pytest.raises(AddressRefused, match=told):
        fetch("http://public.example/", proxy=web.url, allow_private=False, resolve=resolve)
    assert web.connections == 0


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://example.org/", "javascript:alert(1)", "data:,x", "gopher://x/"]
)
def test_only_http_and_https_are_followed(target: str) -> None:
    with Web() as web:
        web.redirect("/", target)
        with pytest.raises(AddressRefused, match="only http and https are followed"):
            fetch(web.url + "/")
