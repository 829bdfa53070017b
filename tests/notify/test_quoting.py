"""What a receiver said itself is told apart again."""

import pytest

from feedd.notify.quoting import for_everybody, quoted


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
