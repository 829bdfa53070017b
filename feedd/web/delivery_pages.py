"""The page /deliveries: the channels, what waits for them and what became of the rest; and what its buttons do."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from feedd.access.scopes import Scope
from feedd.errors import UnknownName
from feedd.looks import now_ms
from feedd.notify.values import Tried
from feedd.operations import Operations
from feedd.quoting import FOR_FEW, for_everybody
from feedd.store import channels
from feedd.store.database import translated
from feedd.store.deliveries import STATUSES, Chosen, Delivery
from feedd.store.delivery_list import channels_listed, listed
from feedd.store.page_queries import ChannelRow, channel_rows
from feedd.store.reader import Reader
from feedd.threads import PATIENT
from feedd.web.look import Look, look_of
from feedd.web.pages import page
from feedd.web.parameters import chosen, in_words, number_of

AT_ONCE = 50  # deliveries of a page
DAY_MS = 86_400_000
SAID = ("", "retried", "cancelled", "tested")  # what was done before the page is shown again
MOST_BYTES = 20_000  # of a form
MOST_IDS = 500
LONGEST_SAID = 300  # characters of what a receiver said
EXAMPLE = """\
[notify.desk]
type = "webhook"
url = "https://hooks.example.org/feedd"
secret = "env:DESK_SECRET"
on = ["added", "edited", "removed", "source-failing"]"""


class Card(NamedTuple):
    """A channel, and how the sample fared that was sent through it last, since the start."""

    row: ChannelRow
    condition: str  # see `condition`
    tried: Tried | None
    tried_ms: int


class Filter(NamedTuple):
    """Which deliveries are listed; empty: all."""

    channel: str = ""
    status: str = ""
    before: int | None = None

    def address(self, **other: object) -> str:
        query = urlencode({name: value for name, value in (self._asdict() | other).items() if value})
        return f"/deliveries?{query}" if query else "/deliveries"


class Deliveries:
    """Shows them from the store, and has them tried again or let go by what runs."""

    def __init__(self, reader: Reader, operations: Operations) -> None:
        self.reader = reader
        self.operations = operations
        self.tried: dict[str, tuple[Tried, int]] = {}  # by channel: the last sample, and when it was sent

    async def page(self, request: Request) -> Response:
        return await PATIENT.run(self.shown, look_of(request), request.query_params)

    def shown(self, look: Look, asked: Mapping[str, str]) -> Response:
        """Raises HTTPException, StoreError."""
        said = chosen(asked, "said", SAID, "")
        count = number_of(asked["n"], "n") if asked.get("n", "0") != "0" else 0
        with translated(self.reader.path):
            names = channels_listed(self.reader.connection)
            wanted = filter_of(asked, names)
            now = now_ms()
            rows = channel_rows(self.reader.connection, now - DAY_MS)
            some = listed(
                self.reader.connection,
                AT_ONCE + 1,
                wanted.channel or None,
                wanted.status or None,
                wanted.before,
            )
            places = channels.places(self.reader.connection)
        if not look.viewer.may(Scope.READ):
            rows = [without_words(row, places) for row in rows]
            some = [each._replace(delivery=untold(each.delivery, places)) for each in some]
        shows_samples = look.viewer.may(Scope.WRITE)  # what a receiver says may be meant for few
        return page(
            look,
            "deliveries.html",
            cards=[self.card(row, now, shows_samples=shows_samples) for row in rows],
            deliveries=some[:AT_ONCE],
            older=wanted.address(before=some[AT_ONCE - 1].delivery.id) if len(some) > AT_ONCE else "",
            newest=wanted.address(before=None) if wanted.before else "",
            names=names,
            statuses=STATUSES,
            wanted=wanted,
            said=said,
            count=count,
            example=EXAMPLE,
        )

    def card(self, row: ChannelRow, now: int, *, shows_samples: bool) -> Card:
        tried, tried_ms = self.tried.get(row.state.name, (None, 0)) if shows_samples else (None, 0)
        return Card(row, condition(row, now), tried, tried_ms)

    async def retry(self, request: Request) -> Response:
        """POST: deliveries by `id`, or those of a `channel` in a `status`. Raises HTTPException, StoreError."""
        form = await form_of(request)
        with answered():
            return form.back("retried", await self.operations.retry(form.chosen))

    async def cancel(self, request: Request) -> Response:
        """POST: as `retry`, of what waits. Raises HTTPException, StoreError."""
        form = await form_of(request)
        with answered():
            return form.back("cancelled", await self.operations.cancel(form.chosen))

    async def test(self, request: Request) -> Response:
        """POST: send a sample, and show how it fared. Raises HTTPException."""
        form = await form_of(request)
        with answered():
            tried = await self.operations.test(request.path_params["name"])
        self.tried[tried.channel] = tried._replace(said=tried.said[:LONGEST_SAID]), now_ms()
        return form.back("tested", 0)


def routes(deliveries: Deliveries) -> list[Route]:
    return [
        Route("/deliveries", deliveries.page),
        Route("/deliveries/retry", deliveries.retry, methods=["POST"]),
        Route("/deliveries/cancel", deliveries.cancel, methods=["POST"]),
        Route("/channels/{name}/test", deliveries.test, methods=["POST"]),
    ]


@contextmanager
def answered() -> Iterator[None]:
    """What can't be done, as an answer: 404 for what is not there, else 400."""
    with in_words():
        try:
            yield
        except UnknownName as error:
            said = str(error)
            raise HTTPException(404, f"{said[0].upper()}{said[1:]}.") from error


def filter_of(asked: Mapping[str, str], names: Collection[str]) -> Filter:
    """Raises HTTPException."""
    channel, before = asked.get("channel", ""), asked.get("before", "")
    if channel and channel not in names:
        raise HTTPException(404, "There is no channel of that name.")
    status = chosen(asked, "status", ("", *STATUSES), "")
    return Filter(channel, status, number_of(before, "before") if before else None)


def untold(delivery: Delivery, places: Mapping[str, str]) -> Delivery:
    """As everybody may see it. `places`: where each channel leads."""
    return delivery._replace(error=for_everybody(delivery.error, places[delivery.channel]))


def without_words(row: ChannelRow, places: Mapping[str, str]) -> ChannelRow:
    """The same of a channel."""
    state = row.state._replace(error=for_everybody(row.state.error, places[row.state.name]))
    return row._replace(state=state, location="" if row.type in FOR_FEW else row.location)


def condition(row: ChannelRow, now: int) -> str:
    """How the receiver of a channel fares, in a word."""
    state = row.state
    if state.disabled_ms is not None:
        return "disabled"
    if (state.resting_until_ms or 0) > now:
        return "resting"
    if state.failing_since_ms is not None:
        return "failing"
    return "working" if state.delivered_ms is not None else "not used yet"


class Form(NamedTuple):
    """What a button of the page sends."""

    fields: Sequence[tuple[str, str]]

    def first(self, name: str) -> str:
        return next((value for each, value in self.fields if each == name), "")

    @property
    def chosen(self) -> Chosen:
        """Raises HTTPException."""
        ids = [number_of(value, "id") for name, value in self.fields if name == "id"]
        if len(ids) > MOST_IDS:
            raise HTTPException(400, f"{MOST_IDS} deliveries may be named at once.")
        status = chosen(dict(self.fields), "status", ("", *STATUSES), "")
        return Chosen(ids, self.first("channel") or None, (status,) if status else ())

    def back(self, said: str, count: int) -> Response:
        """To the page as it was, with what was done. It is shown from a fixed set of words, and none of the address."""
        shown = [(name, value) for name, value in parse_qsl(self.first("shown")) if name in Filter._fields]
        return RedirectResponse(f"/deliveries?{urlencode([*shown, ('said', said), ('n', count)])}", 303)


async def form_of(request: Request) -> Form:
    """Raises HTTPException."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise HTTPException(413, "That is no form of this page.")
    try:
        return Form(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=2 * MOST_IDS))
    except ValueError as error:
        raise HTTPException(400, "That is no form of this page.") from error
