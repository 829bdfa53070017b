"""What is asked of a server, and what it answered: frozen values."""

from collections.abc import Mapping
from typing import NamedTuple


class Basic(NamedTuple):
    """HTTP basic authentication (RFC 7617)."""

    user: str
    password: str

    def __repr__(self) -> str:
        return "Basic(…)"


class Bearer(NamedTuple):
    """A bearer token (RFC 6750)."""

    token: str

    def __repr__(self) -> str:
        return "Bearer(…)"


class Validators(NamedTuple):
    """What makes a request conditional (RFC 9110 section 13)."""

    etag: str | None = None  # as received, quotes and all
    last_modified: str | None = None
    url: str | None = None  # Answer.url of the answer that had them: they are sent there alone


class Access(NamedTuple):
    """How a source wants its server to be spoken to."""

    headers: tuple[tuple[str, str], ...] = ()
    cookies: tuple[tuple[str, str], ...] = ()
    auth: Basic | Bearer | None = None
    proxy: str | None = None
    user_agent: str = "feedd"
    timeout_s: float = 30.0  # for everything: waiting for the server, redirects, the body
    connect_timeout_s: float = 10.0
    max_bytes: int = 15_000_000  # of a body, after decompression
    max_redirects: int = 10
    allow_private: bool = False
    host_interval_s: float = 1.0  # between the starts of two requests to one host
    per_host: int = 2  # requests at once to one host


class Ask(NamedTuple):
    """One GET request."""

    url: str
    access: Access = Access()
    validators: Validators = Validators()
    accept: str = "*/*"
    cut: bool = False  # take the first max_bytes of a longer body, in place of TooLarge


class Post(NamedTuple):
    """One POST request."""

    url: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()  # content type and the like; access.headers count before them
    access: Access = Access()


class Answer(NamedTuple):
    """What came back, whatever its status; after redirects, unless it answers a POST."""

    url: str  # that answered
    status: int
    headers: Mapping[str, str]  # names in small letters; several of one name are joined by ", "
    body: bytes  # decompressed; b"" for a 304
    moved_to: str | None = None  # where permanent redirects alone (301, 308) led from the URL that was asked
    seconds: float = 0.0

    @property
    def content_type(self) -> str | None:
        return self.headers.get("content-type")
