import asyncio
import gzip
import socket
import ssl
import time
from pathlib import Path
from typing import Any

import pytest
from fetching import LOOPBACK, names, with_fetcher
from h2server import H2Server, Said
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from webserver import Reply, Request, Web, Wire, trusting

from feedd.errors import AddressRefused, FetchError, TimedOut
from feedd.fetch import hops
from feedd.fetch.client import Fetcher
from feedd.fetch.manners import Manners
from feedd.fetch.network import Resolve
from feedd.fetch.requests import LESSER_BYTES
from feedd.fetch.values import Access, Answer, Ask, Post

EXPIRED = Path(__file__).parent.parent / "data" / "expired.pem"
JSON = (("Content-Type", "application/json"),)


def post(
    url: str,
    body: bytes = b"{}",
    own: tuple[tuple[str, str], ...] = JSON,
    *,
    resolve: Resolve | None = None,
    **access: Any,
) -> Answer:
    asked = Post(url, body, own, LOOPBACK._replace(**access))
    return with_fetcher(lambda fetcher: fetcher.post(asked), resolve=resolve or names(), tls=trusting())


def test_what_is_sent() -> None:
    with Web() as web:
        web.page("/in?a=b", "thanks")
        headers = (("Content-Type", "text/x"), ("X-Own", "own"), ("Link", "<a>"), ("link", "<b>"))
        answer = post(
            f"{web.url}/in?a=b#part", b"\x00\xff", headers, user_agent="me/1", headers=(("x-own", "set"),)
        )
        assert (answer.url, answer.status, answer.body) == (f"{web.url}/in?a=b", 200, b"thanks")
        assert answer.moved_to is None
        assert 0 < answer.seconds < 5
    (request,) = web.requests
    assert (request.method, request.path, request.body) == ("POST", "/in?a=b", b"\x00\xff")
    assert request.headers["content-type"] == "text/x"
    assert request.headers["x-own"] == "set"
    assert request.headers["user-agent"] == "me/1"
    assert request.headers["content-length"] == "2"
    assert request.headers["link"] == "<a>, <b>"


def test_headers_that_say_how_it_is_carried_are_ours() -> None:
    place = hops.first(Post("https://example.org/", b"12345"))
    own = (("Content-Length", "9"), ("Transfer-Encoding", "chunked"), ("Host", "x"), ("Accept", "text/x"))
    access = Access(headers=(("content-length", "7"), ("Expect", "100-continue")))
    sent = hops.headers_of_post(Post("https://example.org/", b"12345", own, access), place)
    assert len({name for name, _ in sent}) == len(sent)
    found = dict(sent)
    assert found[b"content-length"] == b"5"
    assert found[b"host"] == b"example.org"
    assert found[b"accept"] == b"text/x"
    assert not found.keys() & {b"transfer-encoding", b"expect"}


def test_an_empty_body_has_a_length() -> None:
    with Web() as web:
        post(web.page("/", "x"), b"")
        assert web.requests[0].headers["content-length"] == "0"


@pytest.mark.parametrize("status", [200, 202, 204, 304, 400, 404, 410, 429, 500, 503])
def test_any_status_is_an_answer(status: int) -> None:
    with Web() as web:
        answer = post(web.page("/", "said", status=status, headers={"Retry-After": "7"}))
        assert answer.status == status
        assert answer.headers["retry-after"] == "7"
        assert answer.body == (b"" if status in {204, 304} else b"said")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_answers(status: int) -> None:
    with Web() as web:
        web.page("/there", "x")
        web.redirect("/", "/there", status)
        answer = post(f"{web.url}/")
        assert (answer.status, answer.headers["location"], answer.moved_to) == (status, "/there", None)
        assert web.count("/there") == 0


def test_of_a_long_answer_the_beginning_is_taken() -> None:
    async def work(fetcher: Fetcher) -> None:
        for path in ("/", "/packed", "/ended"):
            answer = await fetcher.post(Post(web.url + path, b"", access=LOOPBACK))
            assert (answer.status, len(answer.body)) == (200, LESSER_BYTES)
        assert (await fetcher.post(Post(web.url + "/well", b"", access=LOOPBACK))).body == b"well"

    with Web() as web:
        web.page("/", bytes(10**6))
        web.page("/packed", gzip.compress(bytes(10**7)), headers={"Content-Encoding": "gzip"})
        web.raw("/ended", lambda wire: wire.send(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(10**6)))
        web.page("/well", "well")
        with_fetcher(work)


@pytest.mark.parametrize("status", [200, 503])
def test_an_answer_that_drips_for_ever_is_one(status: int) -> None:
    head = f"HTTP/1.1 {status} Well\r\nRetry-After: 7\r\nContent-Length: 1000\r\n\r\n".encode()

    def drip(wire: Wire) -> None:
        wire.send(head)
        wire.drip(b"thanks" * 100)

    with Web() as web:
        web.raw("/", drip)
        began = time.monotonic()
        answer = post(f"{web.url}/", timeout_s=0.5)
        assert time.monotonic() - began < 1.5
        assert (answer.status, answer.headers["retry-after"]) == (status, "7")
        assert answer.body.startswith(b"thank")


def test_an_answer_that_is_cut_off_or_broken_is_one() -> None:
    with Web() as web:
        web.raw("/cut", lambda wire: wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nthanks"))
        web.page("/odd", "thanks", headers={"Content-Encoding": "compress"})
        web.page("/wrong", "thanks", headers={"Content-Encoding": "gzip"})
        assert post(f"{web.url}/cut")[1:4:2] == (200, b"thanks")
        assert post(f"{web.url}/odd").status == 200
        assert post(f"{web.url}/wrong").status == 200


def test_no_answer_in_time() -> None:
    with Web() as web:
        web.raw("/", lambda wire: wire.hang())
        with pytest.raises(TimedOut, match=r"127\.0\.0\.1 did not answer within 0\.3 s"):
            post(f"{web.url}/", timeout_s=0.3)


def test_a_receiver_that_does_not_read() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        with pytest.raises(TimedOut, match="did not answer within"):
            post(url, bytes(20_000_000), timeout_s=0.5)


def test_a_receiver_that_answers_before_it_has_read() -> None:
    def refuse(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1_000_000):
                pass

    async def main(fetcher: Fetcher) -> Answer:
        loop = asyncio.get_running_loop()
        refusing = loop.run_in_executor(None, refuse, listener)
        answer = await fetcher.post(Post(url, bytes(5_000_000), access=LOOPBACK))
        await refusing
        return answer

    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        assert with_fetcher(main).status == 413


def test_connections_that_break() -> None:
    with Web() as web, Web() as dead:
        dead.__exit__(None)
        web.raw("/closed", lambda _: None)
        web.raw("/reset", lambda wire: reset(wire.connection))
        with pytest.raises(FetchError, match="did not answer in HTTP: Server disconnected"):
            post(f"{web.url}/closed")
        with pytest.raises(FetchError, match=f"127.0.0.1:{web.port} closed the connection"):
            post(f"{web.url}/reset")
        with pytest.raises(FetchError, match=f"127.0.0.1:{dead.port} refused the connection"):
            post(f"{dead.url}/")
        assert web.count("/closed") == web.count("/reset") == 1


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    connection.close()


def test_where_a_kept_connection_dies_it_is_posted_once_more() -> None:
    async def work(fetcher: Fetcher) -> None:
        three = [fetcher.post(Post(f"{web.url}/slow", b"", access=LOOPBACK)) for _ in range(3)]
        await asyncio.gather(*three)
        assert web.connections == 3
        assert (await fetcher.post(Post(f"{web.url}/once", b"1", access=LOOPBACK))).body == b"alive"
        assert web.count("/once") == 2
        with pytest.raises(FetchError):
            await fetcher.post(Post(f"{web.url}/always", b"2", access=LOOPBACK))
        assert web.count("/always") == 2

    def slow(request: Request) -> Reply:
        time.sleep(0.1)
        return Reply("x")

    with Web() as web:
        web.script("/slow", slow)
        web.script("/once", lambda _: Reply("alive") if web.count("/once") == 2 else lambda _: None)
        web.raw("/always", lambda _: None)
        with_fetcher(work)
    assert {request.body for request in web.requests if request.path == "/always"} == {b"2"}


def test_certificates() -> None:
    with Web(tls=True) as web, Web(tls=True, certificate=EXPIRED) as old:
        web.page("/", "x")
        assert post(f"https://example.org:{web.port}/").body == b"x"
        with pytest.raises(FetchError, match=r"other\.test:\d+: the certificate is not valid: .*mismatch"):
            post(f"https://other.test:{web.port}/")

        async def strangers(fetcher: Fetcher) -> None:
            with pytest.raises(FetchError, match="the certificate is not valid: self-signed certificate"):
                await fetcher.post(Post(web.url, b"", access=LOOPBACK))

        async def expired(fetcher: Fetcher) -> None:
            with pytest.raises(FetchError, match="the certificate is not valid: certificate has expired"):
                await fetcher.post(Post(old.url, b"", access=LOOPBACK))

        with_fetcher(strangers)
        with_fetcher(expired, tls=ssl.create_default_context(cafile=str(EXPIRED)))
    assert not old.requests


def test_private_addresses_are_refused() -> None:
    async def work(fetcher: Fetcher) -> None:
        strict = LOOPBACK._replace(allow_private=False)
        assert (await fetcher.post(Post(web.url, b"", access=LOOPBACK))).status == 200
        for host in ("127.0.0.1", "localhost", "2130706433", "[::1]", "hub.example.org"):
            with pytest.raises(AddressRefused, match="allow_private"):
                await fetcher.post(Post(f"http://{host}:{web.port}/", b"", access=strict))

    with Web() as web:
        web.page("/", "x")
        with_fetcher(work, resolve=names(localhost=["127.0.0.1", "::1"]))
    assert web.connections == 1


def test_posts_wait_for_no_turn() -> None:
    access = LOOPBACK._replace(host_interval_s=60, per_host=1)

    async def work(fetcher: Fetcher) -> None:
        hanging = asyncio.ensure_future(fetcher.fetch(Ask(f"{web.url}/hangs", access)))
        async with asyncio.timeout(3):
            posts = [fetcher.post(Post(f"{web.url}/", b"", access=access)) for _ in range(20)]
            assert {answer.status for answer in await asyncio.gather(*posts)} == {204}
        hanging.cancel()
        await asyncio.gather(hanging, return_exceptions=True)

    with Web() as web:
        web.raw("/hangs", lambda wire: wire.hang())
        web.page("/", status=204)
        with_fetcher(work, manners=Manners(1))


@pytest.mark.parametrize(
    "header",
    [("x", "a\r\nevil: yes"), ("x", "\x00"), ("x\r\nevil", "yes"), ("x y", "z"), ("", "z"), ("x", "\ud800secret")],
)  # fmt: skip
def test_no_header_smuggles_another(header: tuple[str, str]) -> None:
    with Web() as web:
        web.page("/", "x")
        with pytest.raises(FetchError, match="can't be sent") as own:
            post(f"{web.url}/", b"", (header,))
        with pytest.raises(FetchError, match="can't be sent") as configured:
            post(f"{web.url}/", headers=(header,))
        assert "secret" not in f"{own.value}{configured.value}"
        assert not web.requests


@pytest.mark.parametrize(
    "url", ["ftp://host/secret", "http://ho st/secret", "secret", "http://[secret", "http://x:0/secret"]
)
def test_what_is_no_address_is_not_shown(url: str) -> None:
    with pytest.raises(FetchError, match="no address of the web") as caught:
        post(url)
    assert "secret" not in str(caught.value)


def test_over_http_2() -> None:
    with H2Server({"/": Said(b"thanks"), "/gone": Said(b"", "410")}) as server:

        async def work(fetcher: Fetcher) -> None:
            for path, status in (("/", 200), ("/gone", 410), ("/", 200)):
                answer = await fetcher.post(Post(server.url + path, b"{}" * 1000, JSON, LOOPBACK))
                assert answer.status == status

        with_fetcher(work, tls=trusting())
        assert server.connections == 1


def test_through_a_proxy() -> None:
    with Web() as proxy:
        proxy.page("http://public.example/in", "taken")
        resolve = names(public_example=["8.8.8.8"])
        answer = post(
            "http://public.example/in", b"body", resolve=resolve, proxy=proxy.url, allow_private=False
        )
        assert answer.body == b"taken"
        assert proxy.requests[0].method == "POST"
        assert proxy.requests[0].body == b"body"


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.sampled_from([b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 302 Found\r\nLocation: \xff\r\n", b"HTTP/1.1 "])
    | st.binary(max_size=30),
    st.binary(max_size=100),
)
def test_whatever_bytes_come_there_is_an_answer_or_an_error(head: bytes, rest: bytes) -> None:
    async def work(fetcher: Fetcher) -> None:
        asked = [fetcher.post(Post(f"{web.url}/", b"body", access=LOOPBACK))]
        (found,) = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(found, Answer) or (isinstance(found, FetchError) and str(found).isprintable())
        assert (await fetcher.post(Post(f"{web.url}/well", b"", access=LOOPBACK))).body == b"well"

    with Web() as web:
        web.raw("/", lambda wire: wire.send(head + rest))
        web.page("/well", "well")
        with_fetcher(work)
