"""A message as a letter (RFC 5322), with what lets programs gather, filter and not answer it. Pure."""

import re
from contextlib import suppress
from datetime import UTC, datetime
from email.header import Header
from email.headerregistry import Address, BaseHeader, HeaderRegistry
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy, Policy
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit
from uuid import UUID, uuid5

from feedd.config.channels import EmailChannel
from feedd.model import Kind
from feedd.notify.values import Message, Text

LONGEST_SUBJECT = 200  # characters
LONGEST_BODY = 1_000_000  # characters of either part
LINE = 76
CRLF = "\r\n"
OF_URLS = "%/:?#[]@!$&'()*+,;=~"
NO_BODY = re.compile("[\x00-\x08\x0b-\x1f\x7f\x85\ud800-\udfff\ufffe\uffff]")
# control characters, ends of lines, what turns the direction of writing, and what is no character
NO_SUBJECT = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]")
BREAK = re.compile("\r\n|[\r\u2028\u2029]")
DOMAIN = re.compile(r"(?=.{4,100}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*\.[a-z][a-z0-9-]{1,62}")


class Mailbox(NamedTuple):
    name: str
    address: str  # its host in ASCII


class Exact(BaseHeader):
    """A header whose text, in ASCII, is meant as it stands.

    The standard library's own class decodes encoded words (RFC 2047) in the text that a header is set to, among
    them encoded ends of lines, and encodes message ids that are longer than a line.
    """

    max_count = 1

    @classmethod
    def parse(cls, value: str, kwds: dict[str, Any]) -> None:
        kwds["decoded"], kwds["defects"], kwds["parse_tree"] = value, [], None

    def fold(self, *, policy: "Policy[Any]") -> str:  # noqa: ARG002 (the standard library's signature)
        return f"{self.name}: {self}{CRLF}"


class Words(Exact):
    """The same with any text: what ASCII can't hold, or would be decoded, is encoded."""

    def fold(self, *, policy: "Policy[Any]") -> str:
        if str(self).isascii() and "=?" not in str(self):
            return super().fold(policy=policy)
        return f"{self.name}: {Header(str(self), 'utf-8', LINE, self.name).encode(linesep=CRLF)}{CRLF}"


def policy() -> "EmailPolicy[EmailMessage]":
    registry = HeaderRegistry()
    registry.map_to_type("subject", Words)
    for name in ("message-id", "in-reply-to", "references", "list-id", "list-unsubscribe"):
        registry.map_to_type(name, Exact)
    return SMTP.clone(header_factory=registry, cte_type="7bit")


POLICY = policy()


def compose(
    channel: EmailChannel, message: Message, texts: tuple[Text, Text], base_url: str, born: UUID, now_ms: int
) -> EmailMessage:
    """The letter of `texts`, the plain and the HTML one, as the same bytes at each call with the same `now_ms`.

    **Threads.** Message-ID is the same at each attempt, so that a repeat can be dropped. A thread needs a root, and
    which message of an entry a channel sent first nobody remembers: an edit may be the first that it was told of.
    So the root is made from channel and entry alone. What tells that an entry was added has the root for its
    Message-ID; all else names it in References and In-Reply-To (RFC 5322, section 3.6.4), and programs gather by
    that, whether the root ever arrived or not.

    List-Id: RFC 2919; List-Unsubscribe: RFC 2369; Auto-Submitted, which keeps holiday answers away: RFC 3834.
    """
    plain, html = texts
    realm = realm_of(base_url, born)
    root = f"<{uuid5(born, f'{channel.name} {message.thread}')}@{realm}>" if message.thread else None
    own = root if root and is_the_first(message) else f"<{uuid5(born, message.id)}@{realm}>"
    sender = mailbox(channel.sender)
    letter = EmailMessage(POLICY)
    letter["From"] = spelled(sender)
    letter["To"] = [spelled(mailbox(each)) for each in channel.to]
    letter["Subject"] = subject(plain.title)
    letter["Date"] = datetime.fromtimestamp(now_ms // 1000, UTC)
    letter["Message-ID"] = own
    if root and own != root:
        letter["In-Reply-To"] = root
        letter["References"] = root
    letter["List-Id"] = f"feedd {channel.name} <{channel.name}.{realm}>"
    letter["List-Unsubscribe"] = f"<{quote(channel.list_unsubscribe or unsubscribe(sender), safe=OF_URLS)}>"
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(body(plain.body))
    letter.add_alternative(body(html.body), subtype="html")
    letter.set_boundary(f"=_{uuid5(born, own).hex}")  # else it is random
    return letter


def is_the_first(message: Message) -> bool:
    return len(message.facts) == 1 and message.facts[0].kind is Kind.ADDED


def realm_of(base_url: str, born: UUID) -> str:
    """A name that no other feedd uses: the host of `base_url`, or, where that is none of its own, a random one.

    `RANDOM.localhost` is what RFC 2919, section 3, gives to lists without a domain.
    """
    host = (urlsplit(base_url).hostname or "").rstrip(".")
    try:
        spelling = host.encode("idna").decode()
    except UnicodeError:
        spelling = ""
    return spelling if DOMAIN.fullmatch(spelling) else f"{born.hex}.localhost"


def mailbox(text: str) -> Mailbox:
    """What `config.receivers.mail_address` lets through: `a@b`, `Name <a@b>`, `"Name" <a@b>`."""
    name, _, address = text.rpartition("<")
    user, _, host = address.removesuffix(">").strip().rpartition("@")
    with suppress(UnicodeError):  # else the server will say what it thinks of it
        host = host.encode("idna").decode()
    name = name.strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return Mailbox(name, f"{user}@{host}")


def spelled(box: Mailbox) -> Address:
    user, _, host = box.address.rpartition("@")
    return Address(box.name.replace("=?", "= ?"), user, host)


def subject(title: str) -> str:
    """One line of characters that can be shown, not too long."""
    shown = " ".join(NO_SUBJECT.sub(" ", title).split())
    return shown if len(shown) <= LONGEST_SUBJECT else shown[: LONGEST_SUBJECT - 1].rstrip() + "…"


def body(text: str) -> str:
    """Lines that end in a line feed, of characters that a letter can hold."""
    lines = BREAK.sub("\n", text[:LONGEST_BODY])
    return NO_BODY.sub("\ufffd", lines).rstrip("\n") + "\n"


def unsubscribe(sender: Mailbox) -> str:
    """The fallback: a letter to whoever sends these."""
    return f"mailto:{quote(sender.address, safe='@+')}?subject=unsubscribe"
