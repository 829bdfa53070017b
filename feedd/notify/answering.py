"""What the answer to something that was posted means. Pure.

Addresses of receivers are secrets, and receivers like to repeat what they were asked: of the other side only its
host is named, and what it says is shown without what it was told.
"""

import html
import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote

from feedd.errors import FetchError
from feedd.fetch import address
from feedd.fetch.address import Address
from feedd.fetch.freshness import retry_after_ms
from feedd.fetch.values import Answer
from feedd.notify.values import Delivered, Failed, Outcome
from feedd.quoting import quoted

READ_BYTES = 8_000  # of an answer, to find its beginning
SHOWN = 200  # characters of it that are shown
LONGEST_HOST = 100
SHORTEST_SECRET = 8  # characters; what is shorter is a word like any other
HIDDEN = "…"
REDIRECTS = frozenset({300, 301, 302, 303, 305, 307, 308})
BUSY = frozenset({429, 503})
TAG = re.compile(r"<[!/a-zA-Z][^<>]*>")


def outcome(answer: Answer, now_ms: int, secrets: Iterable[str] = ()) -> Outcome:
    """Whether it was taken (Standard Webhooks, "Operational considerations"), and when to try again.

    `secrets`: what the request held besides the address, and is not to be shown.
    """
    status, place = answer.status, place_of(answer.url)
    said = beginning(answer, place, secrets)
    spelled = f"{status} {phrase_of(status)}".rstrip()
    if 200 <= status < 300:
        return Delivered(quoted(f"{host_of(place)} answered {spelled}", said))
    why = f"{host_of(place)} answered {spelled}"
    if status in REDIRECTS:
        why += f" and points {target_of(place, answer.headers.get('location', ''))}"
        why += "; redirects are not followed: correct the address of the channel"
    else:
        if status == 410:
            why += ": nobody takes messages there any more"
        why = quoted(why, said)
    return Failed(why, retry_after_ms(answer.headers, now_ms), gone=status == 410, rests=status in BUSY)


def phrase_of(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def place_of(url: str) -> Address | None:
    try:
        return address.read(url)[0]
    except FetchError:
        return None


def host_of(place: Address | None) -> str:
    return place.authority[:LONGEST_HOST] if place else "the receiver"


def target_of(place: Address | None, location: str) -> str:
    """Where a redirect leads, in words: its path is as secret as that of the address."""
    try:
        target = address.follow(place, location) if place and location else None
    except FetchError:
        target = None
    if place is None or target is None:
        return "nowhere"
    if target.origin == place.origin:
        return "to another address of the same host"
    return f"to {target.scheme}://{target.authority[:LONGEST_HOST]}"


def beginning(answer: Answer, place: Address | None, secrets: Iterable[str]) -> str:
    """The first words of the body, on one line, printable, without tags."""
    text = answer.body[:READ_BYTES].decode("utf-8", "replace")
    if "html" in (answer.content_type or "").lower():
        text = html.unescape(TAG.sub(" ", text))
    text = without(text, [*told(place), *secrets])
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + HIDDEN


def told(place: Address | None) -> Iterator[str]:
    """What is secret of an address: path and query, whole and in pieces."""
    if place is None:
        return
    path, _, query = place.target.partition("?")
    yield from (place.target, path, query)
    yield from path.split("/")
    for pair in query.split("&"):
        yield from (pair, pair.partition("=")[2])
    yield from (value for _, value in parse_qsl(query))  # as forms are read: + is a space


def without(text: str, secrets: Iterable[str]) -> str:
    """The text without these, however they are written, and without the words in them."""
    pieces = {piece for secret in secrets for piece in (secret, *secret.split())}
    written = {way for piece in pieces for way in (piece, unquote(piece))}
    for each in sorted(written | {html.escape(way) for way in written}, key=lambda way: (-len(way), way)):
        if len(each) >= SHORTEST_SECRET:
            text = text.replace(each, HIDDEN)
    return text
