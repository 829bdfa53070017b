"""Default words that fit where little is taken: what matters least goes first, links go last. Pure."""

from collections.abc import Callable, Collection, Iterator

from feedd.notify.defaults import defaults, lines
from feedd.notify.values import Form, Message
from feedd.notify.view import EVERYTHING, LONGEST_BEGINNING, LONGEST_LINE, Bounds, view

SHARES = (0.8, 0.6, 0.4, 0.2, 0.1)  # of the room that one difference takes
SHORTEST_LINE = 40
FEW = 3
HEADLINES = Bounds(difference=0, began=0, reasons=0, line=80, address=0, advises=False)
OF_A_DIGEST = Bounds(difference=0, began=200, reasons=2, line=200, advises=False)


def fitted(
    message: Message,
    forms: Collection[Form],
    base_url: str,
    form: Form,
    room: int,
    size: Callable[[str], int],
    *,
    brief: bool = True,
) -> str:
    """The body in `form`, whose `size` is no more than `room`, with differences in `forms`; `brief`: see `defaults`."""

    def said(bounds: Bounds) -> str:
        seen = view(message, forms, base_url, bounds._replace(coloured=not brief))
        return lines(defaults(seen, [form.value], brief=brief)[form.value])

    def fits(text: str) -> bool:
        return len(text) <= room and size(text) <= room  # no size is less, and some take long

    if len(message.facts) > 1 or message.more:
        return digested(len(message.facts), room, said, fits)
    text = ""
    for bounds in steps(room):
        text = said(bounds)
        if fits(text):
            return text
    return clipped(text, form, room, size)


def steps(room: int) -> Iterator[Bounds]:
    """What one change is told with, from all there is to its page alone."""
    yield EVERYTHING._replace(difference=room)
    for share in SHARES:
        part = int(room * share)
        yield Bounds(
            difference=part,
            began=min(part, LONGEST_BEGINNING),
            reasons=max(1, int(50 * share * share)),
            line=max(SHORTEST_LINE, min(part // 2, LONGEST_LINE)),
            address=max(room // 2, SHORTEST_LINE),
            advises=share > SHARES[-1],
        )
    least = Bounds(0, 0, 0, SHORTEST_LINE, room // 2, advises=False)
    yield least
    yield least._replace(address=0)


def digested(count: int, room: int, said: Callable[[Bounds], str], fits: Callable[[str], bool]) -> str:
    """As many changes as there is room for, with what each says in short; fewer words, where that tells of few."""
    text = said(EVERYTHING)
    if fits(text):
        return text
    for bounds in (OF_A_DIGEST._replace(address=max(room // 4, SHORTEST_LINE)), HEADLINES):
        few, many, text = 0, count, said(bounds._replace(named=0))
        while few < many:
            middle = (few + many + 1) // 2
            found = said(bounds._replace(named=middle))
            if fits(found):
                few, text = middle, found
            else:
                many = middle - 1
        if few >= FEW:
            break
    return text


def clipped(text: str, form: Form, room: int, size: Callable[[str], int]) -> str:
    """The last resort, where not even an address fits: there is the title still. Half a tag is none."""
    while text and size(text) >= room:
        text = text[: len(text) - max(1, (size(text) - room) // 2)]
    return "" if form is Form.HTML else text
