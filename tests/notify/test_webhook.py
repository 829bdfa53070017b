import base64
import gzip
import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError
from webserver import Reply, Web, Wire, trusting

from feedd.config.channels import WebhookChannel
from feedd.fetch.client import Fetcher
from feedd.notify import webhook
from feedd.notify.body import body_of, payload
from feedd.notify.posting import access_of
from feedd.notify.values import Delivered, Failed, Message, Outcome

EXPIRED = Path(__file__).parent.parent / "data" / "expired.pem"
OLD = "whsec_" + base64.b64encode(bytes(range(32))).decode()
NEW = "whsec_" + base64.b64encode(bytes(range(24))).decode().rstrip("=")
DATA = {"change": {"id": 7}, "entry": {"title": "東京 \N{SNOWMAN} line\N{LINE SEPARATOR}\r\nWebhook-Id: 8"}}
MESSAGE = Message("msg_7", "entry.edited", 1_767_225_600_999, "desk", DATA, ())


def now_ms() -> int:
    return int(time.time() * 1000)


def channel(url: str, **settings: Any) -> WebhookChannel:
    return WebhookChannel.model_validate(
        {"name": "desk", "type": "webhook", "url": url, "timeout": "5s", **settings}
    )


def send(
    to: WebhookChannel, message: Message = MESSAGE, *, at_ms: int | None = None, **fetcher: Any
) -> Outcome:
    async def main() -> Outcome:
        async with Fetcher(**{"tls": trusting(), **fetcher}) as made:
            return await webhook.send(to, message, made, "feedd/1", at_ms or now_ms())

    return uvloop.run(main())


def failed(to: WebhookChannel, message: Message = MESSAGE, **fetcher: Any) -> Failed:
    found = send(to, message, **fetcher)
    assert isinstance(found, Failed)
    return found


def test_what_is_sent() -> None:
    with Web() as web:
        url = web.page("/in", "taken")
        to = channel(url, secret=OLD, headers={"X-Desk": "a"})
        assert send(to, at_ms=1_700_000_000_999) == Delivered(
            f"127.0.0.1:{web.port} answered 200 OK; it says: taken"
        )
    (request,) = web.requests
    assert request.method == "POST"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == "feedd/1"
    assert request.headers["x-desk"] == "a"
    assert request.headers["webhook-id"] == "msg_7"
    assert request.headers["webhook-timestamp"] == "1700000000"
    assert "content-encoding" not in request.headers
    assert json.loads(request.body) == {
        "type": "entry.edited",
        "timestamp": "2026-01-01T00:00:00Z",
        "data": DATA,
    }
    assert b"\n" not in request.body


def test_the_signature_is_what_the_standard_says() -> None:
    with Web() as web:
        send(channel(web.page("/"), secret=OLD))
    request = web.requests[0]
    assert Webhook(OLD).verify(request.body, request.headers) == payload(MESSAGE)
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(request.body + b" ", request.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(request.body, request.headers)


def test_each_of_several_secrets_signs() -> None:
    with Web() as web:
        send(channel(web.page("/"), secret=[OLD, NEW]))
    request = web.requests[0]
    signatures = request.headers["webhook-signature"].split(" ")
    assert [each.partition(",")[0] for each in signatures] == ["v1", "v1"]
    for secret in (OLD, NEW):
        assert Webhook(secret).verify(request.body, request.headers)


def test_without_a_secret_nothing_is_signed() -> None:
    with Web() as web:
        assert isinstance(send(channel(web.page("/"))), Delivered)
    assert "webhook-signature" not in web.requests[0].headers
    assert "webhook-id" in web.requests[0].headers


def test_compressed() -> None:
    with Web() as web:
        send(channel(web.page("/"), secret=OLD, compress=True))
    request = web.requests[0]
    assert request.headers["content-encoding"] == "gzip"
    assert Webhook(OLD).verify(gzip.decompress(request.body), request.headers) == payload(MESSAGE)


def test_each_attempt_has_the_same_id_and_body_and_its_own_time() -> None:
    with Web() as web:
        to = channel(web.page("/", status=500), secret=OLD)
        for at_ms in (now_ms() - 5_000, now_ms()):
            send(to, at_ms=at_ms)
    first, second = web.requests
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] < second.headers["webhook-timestamp"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    for request in web.requests:
        assert Webhook(OLD).verify(request.body, request.headers)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_taken(status: int) -> None:
    with Web() as web:
        assert isinstance(send(channel(web.page("/", status=status))), Delivered)


def test_gone() -> None:
    with Web() as web:
        assert failed(channel(web.gone("/") or f"{web.url}/")).gone


def test_busy() -> None:
    with Web() as web:
        for status in (429, 503):
            at_ms = now_ms()
            web.page("/", "later", status=status, headers={"Retry-After": "120"})
            found = send(channel(f"{web.url}/"), at_ms=at_ms)
            assert isinstance(found, Failed)
            assert (found.retry_after_ms, found.rests) == (at_ms + 120_000, True)
        web.page("/", status=429, headers={"Retry-After": "Fri, 31 Dec 2100 00:00:00 GMT"})
        assert failed(channel(f"{web.url}/")).retry_after_ms is not None


def test_redirects_are_not_followed() -> None:
    with Web() as web:
        web.page("/there", "x")
        web.redirect("/hook-secret", "/there", 307)
        found = failed(channel(f"{web.url}/hook-secret"))
        assert "redirects are not followed" in found.why
        assert "secret" not in found.why
        assert web.count("/there") == 0


def test_a_megabyte_and_a_drip() -> None:
    def drip(wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        wire.drip(b"x" * 1000)

    with Web() as web:
        said = send(channel(web.page("/", b"y" * 1_000_000)))
        assert isinstance(said, Delivered)
        assert len(said.said) < 300
        web.raw("/drip", drip)
        assert isinstance(send(channel(f"{web.url}/drip", timeout="1s")), Delivered)


def test_receivers_that_fail() -> None:
    with Web() as web, Web() as dead, Web(tls=True) as stranger, Web(tls=True, certificate=EXPIRED) as old:
        dead.__exit__(None)
        web.raw("/reset", lambda wire: reset(wire.connection))
        web.raw("/hangs", lambda wire: wire.hang())
        assert "closed the connection" in failed(channel(f"{web.url}/reset")).why
        late = failed(channel(f"{web.url}/hangs", timeout="1s"))
        assert late.why == "127.0.0.1 did not answer within 1 s"
        assert "refused the connection" in failed(channel(f"{dead.url}/")).why
        assert "self-signed certificate" in failed(channel(f"{stranger.url}/"), tls=None).why
        assert "the certificate is not valid" in failed(channel(f"{old.url}/"), tls=None).why
        assert not stranger.requests
        assert not old.requests


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    connection.close()


def test_private_addresses_only_where_they_are_allowed() -> None:
    with Web() as web:
        url = web.page("/")
        assert isinstance(send(channel(url)), Delivered)
        assert "allow_private = true" in failed(channel(url, allow_private=False)).why
        assert len(web.requests) == 1


def test_a_secret_that_is_not_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FEEDD_ABSENT", raising=False)
    with Web() as web:
        for settings in (
            {"secret": "env:FEEDD_ABSENT"},
            {"secret": [OLD, "env:FEEDD_ABSENT"]},
            {"url": "env:FEEDD_ABSENT"},
            {"headers": {"Authorization": "env:FEEDD_ABSENT"}},
            {"proxy": "env:FEEDD_ABSENT"},
        ):
            found = failed(channel(web.page("/")).model_validate({**BARE, "url": web.page("/"), **settings}))
            assert "the environment variable FEEDD_ABSENT is not set" in found.why
        assert not web.requests


BARE = {"name": "desk", "type": "webhook"}


def test_how_a_receiver_is_spoken_to() -> None:
    to = channel(
        "https://example.org/", timeout="3s", headers={"X-Key": "k"}, proxy="http://proxy.example:3128"
    )
    access = access_of(to, "feedd/1")
    assert access.headers == (("X-Key", "k"),)
    assert access.proxy == "http://proxy.example:3128"
    assert (access.timeout_s, access.connect_timeout_s) == (3, 3)
    assert access.allow_private
    assert not access_of(channel("https://example.org/", allow_private=False), "feedd/1").allow_private


def test_no_message_smuggles_a_header() -> None:
    with Web() as web:
        to = channel(web.page("/"), secret=OLD)
        assert "can't be sent" in failed(to, MESSAGE._replace(id="msg\r\nevil: yes")).why
        assert not web.requests
        evil = MESSAGE._replace(
            type="a\r\nevil: yes", data={"title": "a\r\n\r\nPOST /other HTTP/1.1\r\n\r\n"}
        )
        assert isinstance(send(to, evil), Delivered)
    (request,) = web.requests
    assert "evil" not in request.headers
    assert Webhook(OLD).verify(request.body, request.headers) == payload(evil)


def test_nothing_secret_is_told() -> None:
    with Web() as web:
        web.script("/services/T0123456789", lambda request: reply(request.path, request.headers["x-key"]))
        to = channel(f"{web.url}/services/T0123456789?token=abcdefghijk", headers={"X-Key": "key-of-desk"})
        why = failed(to).why
        assert "answered 404" in why
        assert not [each for each in ("T0123", "abcdef", "key-of-desk") if each in why]


def reply(path: str, key: str) -> Any:
    return Reply(f"cannot POST {path} with {key}", 404, "text/plain")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(st.characters(codec=None)),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=10,
    ),
    st.text(),
)
def test_any_data_makes_one_line_of_json_that_verifies(data: Any, type_: str) -> None:
    message = MESSAGE._replace(type=type_, data={"data": data})
    body = body_of(message)
    assert body == body_of(message)
    assert "\n" not in body
    assert "\r" not in body
    headers = dict(webhook.headers_of("msg_1", body, [OLD], now_ms() // 1000))
    read = Webhook(OLD).verify(body.encode(), headers)
    assert read.keys() == {"type", "timestamp", "data"}
    assert json.loads(body) == read


def test_what_no_utf_8_can_hold_is_replaced() -> None:
    message = MESSAGE._replace(data={"title": "a\udc80b"})
    assert "\N{REPLACEMENT CHARACTER}" in json.loads(body_of(message))["data"]["title"]
    with Web() as web:
        assert isinstance(send(channel(web.page("/"), secret=OLD), message), Delivered)
