"""Items of one document that nothing tells apart: which of them is told last is no matter of where they stand in it."""

from collections.abc import Sequence
from pathlib import Path

from stores import new_store

from feedd.model import Details, RawItem, Tally
from feedd.schedule import Due
from feedd.sources.items import Recipe, items_of
from feedd.store.desk import Desk
from feedd.store.passes import SourceKey, Window

HOUR_MS = 3_600_000
BORN_MS = 1_790_000_000_000
KEY = SourceKey("news", "feed", "https://news.example.org/feed", "", "")
CLOSED, NOTICES = "https://news.example.org/closed", "https://news.example.org/notices"


class Looks:
    """Looks at a feed, an hour apart."""

    def __init__(self, path: Path) -> None:
        self.desk = Desk(new_store(path))
        self.now_ms = BORN_MS
        self.desk.run(lambda writer: writer.configure([KEY], [("all", "{}")], BORN_MS))

    def look(self, raws: Sequence[RawItem]) -> Tally:
        self.now_ms += HOUR_MS
        began = self.desk.run(lambda writer: writer.begin(KEY, self.now_ms))
        made = items_of(raws, Recipe(KEY.name, KEY.location), self.now_ms)
        look = began.look._replace(present=made.present)
        due = Due(self.now_ms + HOUR_MS, "every 1h")
        window = Window(made.items, made.rejected, due, began.conversation, shared=made.shared)
        return self.desk.run(lambda writer: writer.close_window(KEY, look, window))


def item(url: str, title: str, body: str, author: str = "", image: str | None = None) -> RawItem:
    details = Details(authors=(author,) if author else ())
    return RawItem(None, url, title, body, published_ms=BORN_MS, image=image, details=details)


def test_two_that_only_their_writers_tell_apart_may_change_places(tmp_path: Path) -> None:
    looks = Looks(tmp_path / "feedd.db")
    looks.look(  # each link is borne by several: from then on it tells nothing apart
        [
            item(CLOSED, "Closed on Monday", "<p>One.</p>"),
            item(CLOSED, "Closed on Friday", "<p>Two.</p>"),
            item(NOTICES, "Notice one", "<p>Three.</p>"),
            item(NOTICES, "Notice two", "<p>Four.</p>"),
        ]
    )
    body = "<p>The hall is open again from now on.</p>"
    one = item(CLOSED, "Open again", body, "Ann Archer", "https://news.example.org/hall.png")
    two = item(NOTICES, "Open again", body, "Bob Butcher", "https://news.example.org/court.png")
    assert looks.look([one, two]).added == 1
    for order in ([two, one], [one, two], [two, one], [one, two]):
        assert not looks.look(order).changed
    looks.desk.close()
