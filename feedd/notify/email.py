"""The channel `email`: a letter a message, handed to an SMTP server (RFC 5321).

The only user of aiosmtplib, which takes a tenth of a second to import: that is done when a letter goes out.
Whatever it raises becomes an outcome here, in words that hold no password.
"""

import asyncio
import functools
import logging
import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from feedd.config.channels import EmailChannel
from feedd.errors import SourceError
from feedd.fetch.connections import trusted_roots
from feedd.fetch.words import explain_system, short, spell_ssl
from feedd.notify.letter import POLICY, compose, mailbox, realm_of
from feedd.notify.values import Delivered, Failed, Message, Outcome, Text
from feedd.quoting import quoted

if TYPE_CHECKING:
    from aiosmtplib import SMTP

PORTS = {"starttls": 587, "tls": 465, "none": 25}
CLOSING = 421  # RFC 5321, section 4.2.3: the server is not available, and closes the connection
MOST_SAID = 300  # characters
MOST_NAMED = 10  # recipients
QUIT_S = 2.0

logger = logging.getLogger(__name__)


class Place(NamedTuple):
    """The server, and what we call ourselves to it."""

    host: str
    port: int
    hello: str

    @property
    def at(self) -> str:
        return f"{self.host}:{self.port}"


class NotTaken(Exception):
    """Why the server has not got the letter."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.why)
        self.failed = failed


async def send(
    channel: EmailChannel, message: Message, texts: tuple[Text, Text], base_url: str, born: UUID, now_ms: int
) -> Outcome:
    """Hand the letter of `texts`, the plain and the HTML one, to the channel's server.

    Whom the server refuses for good is left out, and named in the outcome and in the log. Where it refuses one for
    now, nobody is sent it: an attempt that reached some would reach them again. `born` is the random UUID of the
    database.
    """
    from aiosmtplib import SMTP

    realm = realm_of(base_url, born)
    place = Place(
        channel.host.strip("[]"),
        channel.port or PORTS[channel.security],
        "[127.0.0.1]" if realm.endswith(".localhost") else realm,
    )
    letter = compose(channel, message, texts, base_url, born, now_ms)
    boxes = [mailbox(each).address for each in (channel.sender, *channel.to)]
    utf8 = not all(map(str.isascii, boxes))
    data = letter.as_bytes(policy=POLICY.clone(utf8=utf8))
    seconds = channel.timeout / 1000
    client = SMTP(hostname=place.host, port=place.port, local_hostname=place.hello, timeout=seconds)
    try:
        with explained(place):
            async with asyncio.timeout(seconds):
                await enter(client, channel, place)
                refused, said = await handed(client, boxes, data, place.at, utf8=utf8)
    except NotTaken as error:
        return error.failed
    except TimeoutError:
        return Failed(f"{place.at} did not take the message within {seconds:g} s")
    else:
        with suppress(Exception):  # the message is out, whatever becomes of the goodbye
            async with asyncio.timeout(QUIT_S):
                await client.quit()
        if refused:
            logger.warning("notify.%s: %s took a message; %s", channel.name, place.at, unreached(refused))
        return Delivered("; ".join(filter(None, (readable(said), unreached(refused)))))
    finally:
        leave(client)


async def handed(
    client: "SMTP", boxes: list[str], data: bytes, at: str, *, utf8: bool
) -> tuple[dict[str, tuple[int, str]], str]:
    """Hand the letter over, from the first of `boxes` to the others (RFC 5321, section 3.3).

    Whom the server refuses for good, and what it said in the end. Raises NotTaken, TimeoutError, what aiosmtplib raises.
    """
    from aiosmtplib import SMTPNotSupported, SMTPRecipientRefused

    if utf8 and not client.supports_extension("smtputf8"):
        raise SMTPNotSupported("SMTPUTF8")
    encoding, options = "utf-8" if utf8 else "ascii", ["SMTPUTF8", "BODY=8BITMIME"] if utf8 else []
    if client.supports_extension("size"):  # RFC 1870
        options.append(f"SIZE={len(data)}")
    await client.mail(boxes[0], options=options, encoding=encoding)
    refused = dict[str, tuple[int, str]]()
    for box in boxes[1:]:
        try:
            await client.rcpt(box, encoding=encoding)
        except SMTPRecipientRefused as error:
            refused[box] = error.code, error.message
            if error.code == CLOSING:
                break
    for_now = {box: why for box, why in refused.items() if not 500 <= why[0] < 600}
    if for_now and len(boxes) > 2:
        with suppress(Exception):  # it is put off, whatever the server says to that
            await client.rset()
        rests = any(code == CLOSING for code, _ in for_now.values())
        words = quoted(f"{at} does not take it for all yet, so nobody was sent it", unreached(for_now))
        raise NotTaken(Failed(words, rests=rests))
    if len(refused) == len(boxes) - 1:
        rests = any(code == CLOSING for code, _ in refused.values())
        raise NotTaken(Failed(quoted(f"{at} refused every recipient", unreached(refused)), rests=rests))
    return refused, (await client.data(data)).message


async def enter(client: "SMTP", channel: EmailChannel, place: Place) -> None:
    """Connect, as safely as the channel says, and log in. Raises NotTaken, TimeoutError, what aiosmtplib raises."""
    from aiosmtplib import SMTPAuthenticationError, SMTPResponseException

    tls = (
        None if channel.security == "none" else roots(*map(os.environ.get, ("SSL_CERT_FILE", "SSL_CERT_DIR")))
    )
    await client.connect(use_tls=channel.security == "tls", start_tls=False, tls_context=tls)
    await client.ehlo()
    if channel.security == "starttls":
        if not client.supports_extension("starttls"):
            raise NotTaken(
                Failed(
                    f'{place.at} offers no STARTTLS, so nothing was sent; see whether security = "tls" does'
                )
            )
        try:
            await client.starttls()
        except SMTPResponseException as error:
            why = answer(error.code, error.message)
            words = quoted(f"{place.at} refused to start TLS, so nothing was sent", why)
            raise NotTaken(Failed(words)) from error
        await client.ehlo()
    if channel.user is None or channel.password is None:
        return
    if not client.supports_extension("auth"):
        raise NotTaken(Failed(f"{place.at} takes no user and password on this connection"))
    try:
        await client.login(channel.user, channel.password.reveal())
    except SourceError as error:
        raise NotTaken(Failed(str(error))) from error
    except SMTPAuthenticationError as error:  # what it says may hold what we said
        raise NotTaken(Failed(f"{place.at} refused user and password ({error.code})")) from None


@functools.lru_cache(maxsize=2)
def roots(file: str | None, folder: str | None) -> ssl.SSLContext:  # noqa: ARG001 (they are read from the environment)
    """Reading certificates takes some milliseconds: done once for what SSL_CERT_FILE and SSL_CERT_DIR say."""
    return trusted_roots()


def leave(client: "SMTP") -> None:
    """Close the connection without waiting for anything to be taken."""
    abort = getattr(client.transport, "abort", None)  # what a loop's transports are is its own matter
    if abort is not None:
        abort()
    client.close()


@contextmanager
def explained(place: Place) -> Iterator[None]:
    """Turn what aiosmtplib and the system raise into NotTaken, but for TimeoutError.

    All of it: what a server sends can make a library raise ValueError or AssertionError too.
    """
    try:
        yield
    except (NotTaken, TimeoutError):
        raise
    except Exception as error:
        raise NotTaken(explain(error, place)) from error


def explain(error: Exception, place: Place) -> Failed:
    """In words for people."""
    from aiosmtplib import SMTPConnectError, SMTPException, SMTPNotSupported

    at = place.at
    match error:
        case SMTPConnectError() if isinstance(error.__cause__, OSError):
            cause = error.__cause__
            return explain(ConnectionError() if isinstance(cause, SMTPException) else cause, place)
        case SMTPNotSupported():
            return Failed(f"{at} takes no addresses with characters beyond ASCII (SMTPUTF8)")
        case ssl.SSLCertVerificationError():
            return Failed(f"{at}: the certificate is not valid: {error.verify_message}")
        case ssl.SSLError():
            return Failed(f"{at}: TLS failed: {spell_ssl(error)}")
        case SMTPException():
            return explain_refusal(error, at) or Failed(quoted(f"{at} did not answer in SMTP", short(error)))
        case OSError():
            return Failed(explain_system(error, place.host, at))
        case _:
            return Failed(quoted(f"{at} did not answer in SMTP", short(error)))


def explain_refusal(error: Exception, at: str) -> Failed | None:
    """What the server said, or did without a word; None: something else went wrong."""
    import aiosmtplib

    match error:
        case aiosmtplib.SMTPSenderRefused():
            what = "refused the sender"
        case aiosmtplib.SMTPConnectResponseError() | aiosmtplib.SMTPHeloError():
            what = "does not want us"
        case aiosmtplib.SMTPResponseException():
            what = "refused the message"
        case aiosmtplib.SMTPServerDisconnected():
            return Failed(f"{at} closed the connection")
        case _:
            return None
    return Failed(quoted(f"{at} {what}", answer(error.code, error.message)), rests=error.code == CLOSING)


def unreached(refused: Mapping[str, tuple[int, str]]) -> str:
    """Whom the server did not take it for, and why: what goes behind a semicolon or a colon."""
    if not refused:
        return ""
    named = [f"{name} ({answer(*why)})" for name, why in list(refused.items())[:MOST_NAMED]]
    more = len(refused) - len(named)
    return f"not for {', '.join(named)}" + (f" and {more} more" if more else "")


def answer(code: int, text: str) -> str:
    """`code` below 0: what came is no answer of SMTP, and aiosmtplib says so."""
    return f"{code} {readable(text)}".strip() if code >= 0 else readable(text) or "no answer of SMTP"


def readable(text: str) -> str:
    """What a server says, on one line, not too long."""
    shown = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return shown if len(shown) <= MOST_SAID else shown[: MOST_SAID - 1] + "…"
