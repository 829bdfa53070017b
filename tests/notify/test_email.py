"""The channel `email`, with real servers."""
# ruff: noqa: N802, ARG002 (methods are called as aiosmtpd wants)

import asyncio
import email
import email.policy
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from running import free_port
from webserver import CERTIFICATE, serving

from feedd.config.channels import EmailChannel
from feedd.notify.email import send
from feedd.notify.values import Delivered, Failed, Form, Message, Outcome, Text

BORN = UUID(int=7)
NOW = 1_706_867_102_000
BASE = "https://feeds.example.org/"
TEXTS = (
    Text("Edited: A title", "Some words.\n", Form.PLAIN),
    Text("Edited: A title", "<p>Some words.</p>", Form.HTML),
)
MESSAGE = Message("m1", "entry.edited", NOW, "desk", {}, (), "urn:uuid:1")


def channel(*, sender: str = "feedd@example.org", **settings: Any) -> EmailChannel:
    values = {
        "name": "desk",
        "type": "email",
        "host": "localhost",
        "from": sender,
        "to": "a@example.org",
    }
    return EmailChannel.model_validate(values | settings)


def contents(letter: EmailMessage) -> list[tuple[str, str]]:
    """Type and text of each part."""
    parts = [part for part in letter.iter_parts() if isinstance(part, EmailMessage)]
    return [(part.get_content_type(), part.get_content().replace("\r\n", "\n")) for part in parts]


class Mailroom:
    """Takes letters, and says what `says` has for a command or a recipient."""

    def __init__(self, **says: str) -> None:
        self.says = says
        self.letters: list[Envelope] = []
        self.secure: list[bool] = []

    async def handle_MAIL(
        self, server: Any, session: Any, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options += options
        return self.says.get("mail", "250 OK")

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if refused := self.says.get(address.partition("@")[0]):
            return refused
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        self.letters.append(envelope)
        self.secure.append(session.ssl is not None)
        return self.says.get("data", "250 2.0.0 queued as ABC")

    def letter(self) -> EmailMessage:
        (envelope,) = self.letters
        assert isinstance(envelope.original_content, bytes)
        return email.message_from_bytes(envelope.original_content, policy=email.policy.default)


@asynccontextmanager
async def listening(
    make: Callable[[], asyncio.Protocol], tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(make, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def check_login(server: Any, session: Any, envelope: Any, mechanism: str, login: Any) -> AuthResult:
    right = isinstance(login, LoginPassword) and (login.login, login.password) == (b"ann", b"right-horse")
    return AuthResult(success=right, handled=False)


def sent(
    mailroom: Mailroom, *, tls: bool = False, server: dict[str, Any] | None = None, **settings: Any
) -> Outcome:
    """Send to a server that lives as long as that takes."""

    async def run() -> Outcome:
        loop = asyncio.get_running_loop()
        values: dict[str, Any] = {"hostname": "mail.test", "loop": loop, **(server or {})}
        context = serving(CERTIFICATE) if tls else None
        async with listening(lambda: SMTP(mailroom, **values), context) as port:
            return await send(channel(port=port, **settings), MESSAGE, TEXTS, BASE, BORN, NOW)

    return asyncio.run(run())


def against(answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any], **settings: Any) -> Outcome:
    """Send to a server that does what `answer` does."""

    async def run() -> Outcome:
        tasks: set[asyncio.Task[Any]] = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.add(task := asyncio.create_task(answer(reader, writer)))
            await asyncio.wait([task])
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            return await send(channel(port=port, **settings), MESSAGE, TEXTS, BASE, BORN, NOW)
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.sleep(0.01)  # for connections to be closed

    return without_port(asyncio.run(run()))


def without_port(outcome: Outcome) -> Outcome:
    """Ports differ from run to run."""
    if isinstance(outcome, Delivered):
        return outcome
    host, _, rest = outcome.why.partition(":")
    return outcome._replace(why=f"{host}:…{rest.lstrip('0123456789')}")


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))


STARTTLS = {"tls_context": serving(CERTIFICATE), "require_starttls": True}


def test_without_tls() -> None:
    mailroom = Mailroom()
    many = ["a@example.org", "Ida <b@example.org>"]
    assert sent(mailroom, security="none", to=many) == Delivered("2.0.0 queued as ABC")
    (envelope,) = mailroom.letters
    assert (envelope.mail_from, envelope.rcpt_tos) == (
        "feedd@example.org",
        ["a@example.org", "b@example.org"],
    )
    letter = mailroom.letter()
    assert letter["subject"] == "Edited: A title"
    assert letter["list-id"] == "feedd desk <desk.feeds.example.org>"
    assert contents(letter) == [("text/plain", "Some words.\n"), ("text/html", "<p>Some words.</p>\n")]


def test_starttls(trusted: None) -> None:
    mailroom = Mailroom()
    assert sent(mailroom, server=STARTTLS) == Delivered("2.0.0 queued as ABC")
    assert mailroom.secure == [True]


def test_tls(trusted: None) -> None:
    mailroom = Mailroom()
    assert sent(mailroom, tls=True, security="tls") == Delivered("2.0.0 queued as ABC")
    assert len(mailroom.letters) == 1


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_that_nobody_knows(security: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    mailroom = Mailroom()
    outcome = sent(
        mailroom,
        security=security,
        tls=security == "tls",
        server=STARTTLS if security == "starttls" else None,
    )
    assert without_port(outcome) == Failed(
        "localhost:…: the certificate is not valid: self-signed certificate"
    )
    assert not mailroom.letters


def test_a_certificate_of_another_name(trusted: None) -> None:
    outcome = sent(Mailroom(), tls=True, security="tls", host="127.0.0.2", timeout="2s")
    assert isinstance(outcome, Failed)  # it does not listen there
    why = "127.0.0.1.nip.example"
    assert without_port(sent(Mailroom(), security="none", host=why)) == Failed(
        f"the name {why} is not known:…"
    )


def test_no_tls_is_no_way_on() -> None:
    """A server that offers no STARTTLS, or somebody on the way who takes the offer out, gets nothing."""
    mailroom = Mailroom()
    said = 'offers no STARTTLS, so nothing was sent; see whether security = "tls" does'
    outcome = sent(mailroom, user="ann", password="right-horse", server={"auth_require_tls": False})
    assert without_port(outcome) == Failed(f"localhost:… {said}")
    assert not mailroom.letters


def test_user_and_password(trusted: None) -> None:
    server = STARTTLS | {"authenticator": check_login, "auth_required": True}
    mailroom = Mailroom()
    assert isinstance(sent(mailroom, server=server, user="ann", password="right-horse"), Delivered)
    wrong = sent(mailroom, server=server, user="ann", password="wrong-horse")
    assert without_port(wrong) == Failed("localhost:… refused user and password (535)")
    without = sent(mailroom, server=server)
    assert without_port(without) == Failed(
        "localhost:… refused the sender; it says: 530 5.7.0 Authentication required"
    )
    assert len(mailroom.letters) == 1


def test_a_server_that_takes_no_passwords() -> None:
    outcome = sent(Mailroom(), security="none", user="ann", password="right-horse")
    assert without_port(outcome) == Failed("localhost:… takes no user and password on this connection")


@pytest.mark.parametrize(
    ("says", "why", "rests"),
    [
        ({"data": "451 4.3.0 try later"}, "refused the message; it says: 451 4.3.0 try later", False),
        ({"data": "552 5.2.2 mailbox full"}, "refused the message; it says: 552 5.2.2 mailbox full", False),
        ({"data": "421 4.3.2 closing"}, "refused the message; it says: 421 4.3.2 closing", True),
        ({"mail": "550 not you"}, "refused the sender; it says: 550 not you", False),
        (
            {"a": "550 no\x1b such user"},
            "refused every recipient; it says: not for a@example.org (550 no such user)",
            False,
        ),
    ],
    ids=["later", "full", "closing", "sender", "recipient"],
)
def test_refusals(says: dict[str, str], why: str, rests: bool) -> None:
    assert without_port(sent(Mailroom(**says), security="none")) == Failed(f"localhost:… {why}", rests=rests)


def test_some_recipients_are_refused_for_good(caplog: pytest.LogCaptureFixture) -> None:
    """Another attempt would reach those again who have it."""
    mailroom = Mailroom(b="550 no such user")
    outcome = sent(mailroom, security="none", to=["a@example.org", "b@example.org"])
    assert outcome == Delivered("2.0.0 queued as ABC; not for b@example.org (550 no such user)")
    assert mailroom.letters[0].rcpt_tos == ["a@example.org"]
    (record,) = [each for each in caplog.records if each.levelname == "WARNING"]
    assert record.getMessage().startswith("notify.desk: localhost:")
    assert record.getMessage().endswith(" took a message; not for b@example.org (550 no such user)")


@pytest.mark.parametrize(
    ("said", "rests"),
    [("451 4.7.1 greylisted", False), ("452 mailbox full", False), ("421 closing", True)],
    ids=["greylisted", "full", "closing"],
)
def test_one_recipient_is_refused_for_now(said: str, rests: bool) -> None:
    """Nobody is sent it: else that one would never have it, or the others have it twice."""
    mailroom = Mailroom(b=said, c="550 no such user")
    many = ["a@example.org", "b@example.org", "c@example.org"]
    assert without_port(sent(mailroom, security="none", to=many)) == Failed(
        f"localhost:… does not take it for all yet, so nobody was sent it; it says: not for b@example.org ({said})",
        rests=rests,
    )
    assert not mailroom.letters
    mailroom.says = {}
    assert isinstance(sent(mailroom, security="none", to=many), Delivered)
    assert mailroom.letters[0].rcpt_tos == many


def test_a_size_is_announced() -> None:
    mailroom = Mailroom(a="550 no")
    assert "552" in sent(mailroom, security="none", server={"data_size_limit": 100}).why  # type: ignore[union-attr]


async def no_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 hi\r\n")
    while line := await reader.readline():
        writer.write(
            b"250-x\r\n250 STARTTLS\r\n" if line.startswith(b"EHLO") else b"454 TLS not available\r\n"
        )


def test_a_server_that_offers_starttls_and_refuses_it() -> None:
    assert against(no_tls) == Failed(
        "localhost:… refused to start TLS, so nothing was sent; it says: 454 TLS not available"
    )


def test_it_has_time_to_be_taken() -> None:
    assert channel().timeout == 120_000


def test_addresses_beyond_ascii() -> None:
    mailroom = Mailroom()
    assert isinstance(
        sent(mailroom, security="none", to="ü@example.org", server={"enable_SMTPUTF8": True}), Delivered
    )
    assert mailroom.letters[0].rcpt_tos == ["ü@example.org"]
    assert "ü@example.org" in (mailroom.letters[0].original_content or b"").decode()
    outcome = sent(Mailroom(), security="none", to="ü@example.org")
    assert without_port(outcome) == Failed(
        "localhost:… takes no addresses with characters beyond ASCII (SMTPUTF8)"
    )


def test_one_that_is_down() -> None:
    outcome = asyncio.run(send(channel(port=free_port()), MESSAGE, TEXTS, BASE, BORN, NOW))
    assert without_port(outcome) == Failed("localhost:… refused the connection")


async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Something always comes, and never an end."""
    while not writer.is_closing():
        writer.write(b"220-x\r\n")
        await asyncio.sleep(0.05)


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Nothing, and the connection is closed."""


async def no_smtp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 " + b"x" * 1_000_000)
    await reader.read()


async def busy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"421 too many connections\r\n")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (hang, "did not take the message within 1 s"),
        (drip, ""),
        (hang_up, "closed the connection"),
        (no_smtp, ""),
        (endless, ""),
        (busy, "does not want us; it says: 421 too many connections"),
    ],
    ids=["hang", "drip", "hang up", "no smtp", "endless", "busy"],
)
def test_servers_that_misbehave(answer: Callable[[Any, Any], Any], why: str) -> None:
    outcome = against(answer, security="none", timeout="1s")
    assert isinstance(outcome, Failed)
    assert outcome.why.startswith(f"localhost:… {why}")
    assert len(outcome.why) < 500
    assert outcome.why.isprintable()
    assert outcome.rests == (answer is busy)
    assert "-1" not in outcome.why


def test_a_goodbye_that_hangs_costs_nothing() -> None:
    """The letter is taken: another attempt would only repeat it."""

    class Rude(SMTP):
        async def smtp_QUIT(self, arg: str) -> None:
            await self.push("500 never")

    async def run() -> Outcome:
        loop = asyncio.get_running_loop()
        async with listening(lambda: Rude(Mailroom(), hostname="mail.test", loop=loop)) as port:
            return await send(channel(port=port, security="none"), MESSAGE, TEXTS, BASE, BORN, NOW)

    assert asyncio.run(run()) == Delivered("2.0.0 queued as ABC")
