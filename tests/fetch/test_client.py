import asyncio
import contextlib
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop
from fetching import LOOPBACK, fetch, names, with_fetcher
from webserver import Reply, Request, Web, Wire, trusting

from feedd.errors import FetchError, TimedOut
from feedd.fetch.client import Fetcher
from feedd.fetch.manners import Manners
from feedd.fetch.values import Access, Ask, Basic, Validators

DATE = "Thu, 01 Jan 2026 00:00:00 GMT"
EXPIRED = Path(__file__).parent.parent / "data" / "expired.pem"


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    return request.param  # type: ignore[no-any-return]


def test_an_answer(run: Callable[..., Any]) -> None:
    async def main() -> None:
        async with Fetcher(resolve=names()) as fetcher:
            url = f"http://example.org:{web.port}/feed?b=2&a=1"
            answer = await fetcher.fetch(Ask(f"{url}#part", LOOPBACK))
            assert answer[:2] == (url, 200)
            assert answer.body == b"<rss/>"
            assert answer.content_type == "application/rss+xml"
            assert answer.headers["x-twice"] == "one, two"
            assert answer.moved_to is None
            assert 0 < answer.seconds < 5

    with Web() as web:
        headers = (("X-Twice", "one"), ("x-twice", "two"))
        web.page("/feed?b=2&a=1", "<rss/>", type="application/rss+xml", headers=headers)
        run(main())
    assert web.requests[0].headers["user-agent"] == "feedd"


def test_connections_are_kept_and_found_closed(run: Callable[..., Any]) -> None:
    async def main() -> None:
        async with Fetcher(tls=trusting()) as fetcher:
            for site in (web, secure):
                for _ in range(3):
                    assert (await fetcher.fetch(Ask(site.url + "/", LOOPBACK))).body == b"x"
                assert site.connections == 1
                assert (await fetcher.fetch(Ask(site.url + "/last", LOOPBACK))).status == 200
                await asyncio.sleep(0.05)
                assert (await fetcher.fetch(Ask(site.url + "/", LOOPBACK))).body == b"x"
                assert site.connections == 2

    def last(wire: Wire) -> None:
        wire.send(
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"
        )

    with Web() as web, Web(tls=True) as secure:
        for site in (web, secure):
            site.page("/", "x")
            site.raw("/last", last)
        run(main())


def test_a_kept_connection_that_dies_when_used_costs_nothing() -> None:
    async def work(fetcher: Fetcher) -> None:
        assert (await fetcher.fetch(Ask(web.url + "/", LOOPBACK))).body == b"x"
        assert (await fetcher.fetch(Ask(web.url + "/dies", LOOPBACK))).body == b"alive"

    def dies(request: Request) -> Reply | Callable[[Wire], None]:
        return Reply("alive") if web.count("/dies") == 2 else lambda _: None

    with Web() as web:
        web.page("/", "x")
        web.script("/dies", dies)
        with_fetcher(work)
    assert web.connections == 2


def test_conditional_requests() -> None:
    with Web() as web:
        url = web.page("/", "x", etag=True, last_modified=DATE)
        first = fetch(url)
        known = Validators(first.headers["etag"], first.headers["last-modified"], first.url)

        async def again(fetcher: Fetcher) -> None:
            for validators in (known, known._replace(etag=None), known._replace(last_modified=None)):
                answer = await fetcher.fetch(Ask(url, LOOPBACK, validators))
                assert (answer.status, answer.body) == (304, b"")
                assert answer.headers["etag"] == first.headers["etag"]

        with_fetcher(again)
        assert web.connections == 2


def test_a_304_that_nobody_asked_for_is_an_answer() -> None:
    with Web() as web:
        assert fetch(web.page("/", "x", status=304)).status == 304


def test_moved_to() -> None:
    with Web() as web:
        web.redirect("/old", "/older", 308)
        web.redirect("/older", "/new", 301)
        web.redirect("/new", "/today", 302)
        web.page("/today", "x")
        answer = fetch(web.url.replace("http://", "http://user:secret@") + "/old")
        assert (answer.url, answer.moved_to) == (f"{web.url}/today", f"{web.url}/new")
        web.redirect("/there", "/and-back", 301)
        web.redirect("/and-back", "/there", 301)
        web.script(
            "/there", lambda _: Reply("x") if web.count("/there") == 2 else cookie_redirect("/and-back")
        )
        assert fetch(f"{web.url}/there").moved_to is None


def cookie_redirect(target: str) -> Reply:
    return Reply(status=301, headers={"Location": target, "Set-Cookie": "a=1"})


@pytest.mark.parametrize("status", [400, 404, 410, 429, 500, 503])
def test_errors_are_answers_whatever_their_body(status: int) -> None:
    head = f"HTTP/1.1 {status} Sorry\r\nRetry-After: 120\r\n"
    with Web() as web:
        web.page("/short", "sorry", status=status)
        web.page("/long", bytes(10**6), status=status, headers={"Retry-After": "120"})
        web.raw("/cut", lambda wire: wire.send(f"{head}Content-Length: 100\r\n\r\nsorry".encode()))
        web.page(
            "/odd", "sorry", status=status, headers={"Retry-After": "120", "Content-Encoding": "compress"}
        )
        assert fetch(web.url + "/short").body == b"sorry"
        for path, size in (("/long", 65536), ("/cut", 5), ("/odd", 0)):
            answer = fetch(web.url + path, max_bytes=1000)
            assert (answer.status, answer.headers["retry-after"], len(answer.body)) == (status, "120", size)


def test_tls_that_fails_says_how() -> None:
    with Web(tls=True) as web, Web(tls=True, certificate=EXPIRED) as old:
        for site in (web, old):
            site.page("/", "x")
        assert fetch(f"https://example.org:{web.port}/").body == b"x"
        with pytest.raises(FetchError, match=r"other\.test:\d+: the certificate is not valid: .*mismatch"):
            fetch(f"https://other.test:{web.port}/")

        async def strangers(fetcher: Fetcher) -> None:
            with pytest.raises(FetchError, match="the certificate is not valid: self-signed certificate"):
                await fetcher.fetch(Ask(web.url, LOOPBACK))

        async def expired(fetcher: Fetcher) -> None:
            with pytest.raises(FetchError, match="the certificate is not valid: certificate has expired"):
                await fetcher.fetch(Ask(old.url, LOOPBACK))

        with_fetcher(strangers)
        with_fetcher(expired, tls=ssl.create_default_context(cafile=str(EXPIRED)))


def test_what_answers_a_handshake_with_something_else() -> None:
    def greet() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=greet)
        thread.start()
        with pytest.raises(FetchError, match=r"127\.0\.0\.1:\d+: TLS failed: \w+"):
            fetch(f"https://127.0.0.1:{listener.getsockname()[1]}/")
        thread.join()


def test_a_refused_connection_and_an_unknown_name() -> None:
    async def unknown(host: str, port: int) -> list[str]:
        raise (OSError if host == "broken.example" else socket.gaierror(-2, "Name or service not known"))

    with Web() as web:
        pass
    with pytest.raises(FetchError, match=rf"127\.0\.0\.1:{web.port} refused the connection"):
        fetch(web.url + "/")
    with pytest.raises(FetchError, match=r"the name exmaple\.example is not known"):
        fetch("http://exmaple.example/", resolve=unknown)
    with pytest.raises(FetchError, match=r"can't be reached"):
        fetch("http://broken.example/", resolve=unknown)
    with pytest.raises(FetchError, match=r"the name \S+ is not known"):
        fetch("http://nowhere.example/", resolve=names(nowhere_example=[]))


def test_a_name_too_long_for_dns_is_not_known() -> None:
    async def work(fetcher: Fetcher) -> None:
        with pytest.raises(FetchError, match=r"the name a+\.invalid"):
            await fetcher.fetch(Ask("http://" + "a" * 64 + ".invalid/", LOOPBACK))

    with_fetcher(work)


def test_the_next_address_is_tried() -> None:
    with Web() as web:
        web.page("/", "x")
        resolve = names(two_example=["127.0.0.2", "127.0.0.1"], dead_example=["127.0.0.2", "127.0.0.3"])
        assert fetch(f"http://two.example:{web.port}/", resolve=resolve).body == b"x"
        with pytest.raises(FetchError, match=r"dead\.example:.* refused the connection"):
            fetch(f"http://dead.example:{web.port}/", resolve=resolve)


def hang(wire: Wire) -> None:
    wire.hang()


def within_headers(wire: Wire) -> None:
    wire.send(b"HTTP/1.1 200 OK\r\nContent-")
    wire.hang()


def after_headers(wire: Wire) -> None:
    wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
    wire.hang()


def endless_headers(wire: Wire) -> None:
    wire.send(b"HTTP/1.1 200 OK\r\n")
    wire.drip(b"X: y\r\n" * 1000, 0.01)


def endless_body(wire: Wire) -> None:
    wire.send(b"HTTP/1.1 200 OK\r\n\r\n")
    wire.drip(bytes(1000), 0.01)


def endless_interim(wire: Wire) -> None:
    for _ in range(1000):
        wire.drip(b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.001)


@pytest.mark.parametrize(
    "path", [hang, within_headers, after_headers, endless_headers, endless_body, endless_interim]
)
def test_nothing_takes_longer_than_its_time(path: Callable[[Wire], None], run: Callable[..., Any]) -> None:
    async def main() -> None:
        async with Fetcher() as fetcher:
            began = time.monotonic()
            with pytest.raises(TimedOut, match=r"127\.0\.0\.1 did not (finish its )?answer within 0\.3 s"):
                await fetcher.fetch(Ask(web.url + "/", LOOPBACK._replace(timeout_s=0.3)))
            assert time.monotonic() - began < 1
            assert (await fetcher.fetch(Ask(web.url + "/well", LOOPBACK))).body == b"well"

    with Web() as web:
        web.raw("/", path)
        web.page("/well", "well")
        run(main())


def test_the_time_counts_over_all_redirects_and_not_while_waiting_for_a_turn() -> None:
    with Web() as web:

        async def work(fetcher: Fetcher) -> None:
            access = LOOPBACK._replace(timeout_s=0.5, host_interval_s=0.3)
            web.redirect("/a", "/b")
            web.redirect("/b", "/c")
            web.redirect("/c", "/d")
            web.page("/d", "x")
            began = time.monotonic()
            answer = await fetcher.fetch(Ask(web.url + "/a", access))
            assert time.monotonic() - began > 0.8
            assert answer.seconds < 0.5

        with_fetcher(work)


def test_slow_redirects_share_one_time() -> None:
    def slow(request: Request) -> Reply:
        time.sleep(0.15)
        return Reply(status=302, headers={"Location": f"/{len(web.requests)}"})

    with Web() as web:
        for number in range(10):
            web.script(f"/{number}", slow)
        with pytest.raises(TimedOut):
            fetch(web.url + "/0", timeout_s=0.5)
        assert 3 <= len(web.requests) <= 4


def test_a_name_that_is_never_found_takes_no_longer_than_allowed_and_stops_nobody() -> None:
    async def never(host: str, port: int) -> list[str]:
        if host == "never.example":
            await asyncio.sleep(60)
        return ["127.0.0.1"]

    async def work(fetcher: Fetcher) -> None:
        bad = Ask("http://never.example/", LOOPBACK._replace(connect_timeout_s=0.3))
        good = Ask(f"http://good.example:{web.port}/", LOOPBACK)
        outcomes = await asyncio.gather(fetcher.fetch(bad), fetcher.fetch(good), return_exceptions=True)
        assert str(outcomes[0]) == "never.example:80 took no connection within 0.3 s"
        assert not isinstance(outcomes[1], BaseException)

    with Web() as web:
        web.page("/", "x")
        with_fetcher(work, resolve=never)


def test_a_cancelled_fetch_leaves_nothing_behind(run: Callable[..., Any]) -> None:
    async def main() -> None:
        manners = Manners(1)
        async with Fetcher(manners) as fetcher:
            task = asyncio.ensure_future(fetcher.fetch(Ask(web.url + "/", LOOPBACK)))
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (await fetcher.fetch(Ask(web.url + "/well", LOOPBACK))).body == b"well"
        assert manners.known == 0

    with Web() as web:
        web.raw("/", hang)
        web.page("/well", "well")
        run(main())


def test_errors_and_logs_hold_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    access = Access(
        auth=Basic("user", "secret"), proxy=None, allow_private=True, headers=(("X-Key", "secret"),)
    )
    with Web() as web:
        web.redirect("/a", "/a?token=secret")
        web.redirect("/a?token=secret", "/a")
        web.raw("/b", lambda wire: wire.send(b"secret garbage\r\n\r\n"))
        urls = [
            f"http://user:secret@127.0.0.1:{web.port}/a?token=secret",
            f"http://user:secret@127.0.0.1:{web.port}/b?token=secret",
            "http://user:sec/secret@host/",
            "http://user:secret@10.0.0.1/?secret",
            "https://user:secret@[::1]:1/secret?secret",
        ]
        for url in urls:
            with pytest.raises(FetchError) as caught:
                fetch(url, **(access._asdict() | {"allow_private": "10.0" not in url, "host_interval_s": 0}))
            assert "secret" not in str(caught.value)
    assert "secret" not in caplog.text
    assert "secret" not in repr(access.auth)


def tunnel(port: int) -> Callable[[Wire], None]:
    """CONNECT (RFC 9110 section 9.3.6) to a port of loopback."""

    def carry(wire: Wire) -> None:
        def pump(source: socket.socket, target: socket.socket) -> None:
            with contextlib.suppress(OSError):
                while data := source.recv(65536):
                    target.sendall(data)

        with socket.create_connection(("127.0.0.1", port)) as far:
            wire.send(b"HTTP/1.1 200 Connected\r\n\r\n")
            back = threading.Thread(target=pump, args=(far, wire.connection))
            back.start()
            pump(wire.connection, far)
            with contextlib.suppress(OSError):
                far.shutdown(socket.SHUT_RDWR)
            back.join()

    return carry


def test_through_a_proxy(run: Callable[..., Any]) -> None:
    with Web() as proxy, Web(tls=True) as secure:
        secure.page("/", "secure")
        proxy.page("http://public.example/feed?x", "plain")
        proxy.raw("example.org:443", tunnel(secure.port))
        through = proxy.url.replace("http://", "http://us%40er:pw@")
        resolve = names(public_example=["8.8.8.8"], example_org=["8.8.8.8"])

        async def main() -> None:
            access = LOOPBACK._replace(allow_private=False, proxy=through)
            async with Fetcher(resolve=resolve, tls=trusting()) as fetcher:
                for _ in range(2):
                    assert (await fetcher.fetch(Ask("http://public.example/feed?x", access))).body == b"plain"
                    assert (await fetcher.fetch(Ask("https://example.org/", access))).body == b"secure"

        run(main())
    assert {request.headers["proxy-authorization"] for request in proxy.requests} == {"Basic dXNAZXI6cHc="}
    assert "proxy-authorization" not in secure.requests[0].headers


def test_proxies_that_fail() -> None:
    with Web() as proxy, Web() as dead:
        proxy.page("example.org:443", status=407)
        dead.__exit__(None)
        resolve = names(example_org=["8.8.8.8"])
        with pytest.raises(FetchError, match=r"the proxy did not connect to example\.org:443: 407"):
            fetch("https://example.org/", proxy=proxy.url, resolve=resolve)
        with pytest.raises(FetchError, match=r"the proxy for example\.org:80 refused the connection"):
            fetch("http://example.org/", proxy=dead.url, resolve=resolve)
        with pytest.raises(FetchError, match=r"socks5://x:1 is no proxy; write http://host:port"):
            fetch("http://example.org/", proxy="socks5://user:secret@x:1", resolve=resolve)


def test_many_at_once_are_quick() -> None:
    async def work(fetcher: Fetcher) -> float:
        asks = [Ask(f"{web.url}/?{number}", LOOPBACK) for number in range(300)]
        began = time.process_time()
        answers = await asyncio.gather(*map(fetcher.fetch, asks))
        assert all(answer.body == b"x" * 5000 for answer in answers)
        return time.process_time() - began

    with Web() as web:
        web.page("/", "x" * 5000)
        assert (
            with_fetcher(work, manners=Manners(32)) < 3
        )  # seconds of both sides; the server takes most of it
    assert web.connections <= 32
