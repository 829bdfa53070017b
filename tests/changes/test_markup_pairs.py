"""Mark-up, tables, links and forms of letters: labelled pairs, judged as the store judges them."""

import pytest
from pairs import Pair, pairs

from feedd.changes.compare import compare
from feedd.changes.significance import judge
from feedd.changes.trim import trimmed
from feedd.changes.values import Content
from feedd.model import Significance
from feedd.normalise.html import clean
from feedd.normalise.text import fingerprint, lead_image, links_hash

MARKUP = pairs("markup")


def content(html: str) -> Content:
    cleaned = clean(html, "https://example.org/a")
    return Content("Title", cleaned, lead_image(cleaned))


@pytest.mark.parametrize("pair", MARKUP, ids=lambda pair: f"{pair.level}: {pair.old} | {pair.new}"[:90])
def test_labelled_pairs(pair: Pair) -> None:
    old, new = content(pair.old), content(pair.new)
    assert judge(compare(old, new)).level is pair.level
    assert judge(compare(new, old)).level is pair.level


@pytest.mark.parametrize(
    "pair",
    MARKUP,
    ids=lambda pair: f"{pair.level}: {pair.old} | {pair.new}"[:90],
)
def test_as_the_store_judges_them(pair: Pair) -> None:
    old, new = content(pair.old), content(pair.new)
    assert judge(compare(*trimmed(old, new))).level is pair.level
    if pair.level is not Significance.NONE:
        same_text = fingerprint(old.html) == fingerprint(new.html)
        assert not same_text or links_hash(old.html) != links_hash(new.html)
