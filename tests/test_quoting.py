"""What a receiver said itself is told apart again."""

import pytest

from feedd.quoting import for_everybody, quoted
from feedd.shapes import for_everybody as for_everybody_
from feedd.store.reader import SourceRow


@pytest.mark.parametrize(
    ("words", "where", "expected"),
    [
        (None, "", None),
        ("h answered 500", "h", "h answered 500"),
        (quoted("h answered 500", "no; it says: never"), "h", "h answered 500"),
        (quoted("h answered 500", ""), "h", "h answered 500"),
        (
            "/srv/a b/log can't be written: no folder /srv/a b",
            "/srv/a b/log",
            "log can't be written: no folder …",
        ),
        ("/log is a symbolic link", "/log", "/log is a symbolic link"),
    ],
    ids=["none", "ours", "quoted", "silent", "path", "root"],
)
def test_what_everybody_may_see(words: str | None, where: str, expected: str | None) -> None:
    assert for_everybody(words, where) == expected


def test_a_source_as_it_is_told_to_everybody() -> None:
    row = SourceRow(
        1, "cmd", "command", "https://x.example/feed?key=secret#a", 1, 0, 0, None, None, None, None, 1,
        quoted("sh failed with exit status 3", "password hunter2"), address="https://y.example/?k=1",
    )  # fmt: skip
    told = for_everybody_(row)
    assert (told.location, told.address) == ("https://x.example/feed?…", "https://y.example/?…")
    assert told.error == "sh failed with exit status 3"
    assert for_everybody_(row._replace(location="/srv/a?b", address=None)).location == "/srv/a?b"
