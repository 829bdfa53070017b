"""Charts: well formed, within their box, and told in words."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from feedd.web.chart import DAY_MS, HEIGHT, STEP, Day, Words, bars, days, heights

TODAY_MS = 1_795_939_200_000  # 2026-11-29T08:00:00Z
SVG = "{http://www.w3.org/2000/svg}"
counts = st.one_of(st.integers(0, 20), st.integers(0, 10**18), st.just(0))
shown = st.lists(counts, max_size=120).map(
    lambda found: days({TODAY_MS // DAY_MS * DAY_MS - n * DAY_MS: c for n, c in enumerate(found)}, TODAY_MS, len(found))
)  # fmt: skip
# what XML can hold at all (XML 1.0, section 2.2): what is shown was rid of the rest
text = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=40)


def drawn(found: list[Day], title: str = "Entries a day", words: str = "x") -> etree._Element:
    labels = [f"{day.name}: {day.number}" for day in found]
    return etree.fromstring(str(bars(found, Words(title, words, labels))))


@given(shown)
def test_bars_stay_within_the_box(found: list[Day]) -> None:
    tree = drawn(found)
    assert [float(each) for each in tree.get("viewBox").split()] == [0, 0, STEP * max(1, len(found)), HEIGHT]
    assert len(tree.findall(f"{SVG}g")) == len(found)
    for place, (day, group) in enumerate(zip(found, tree.findall(f"{SVG}g"), strict=True)):
        column, *bar = group.findall(f"{SVG}rect")
        assert [each.get("class") for each in (column, *bar)] == ["column", "bar"][: 1 + bool(day.number)]
        for each in bar:
            left, top, width, height = (float(each.get(name)) for name in ("x", "y", "width", "height"))
            assert place * STEP <= left <= (place + 1) * STEP - width
            assert 0 <= top <= HEIGHT - 2
            assert top + height == pytest.approx(HEIGHT, abs=0.02)
        assert group.findtext(f"{SVG}title") == f"{day.name}: {day.number}"


@given(st.lists(counts, min_size=1))
def test_more_is_no_lower(found: list[int]) -> None:
    tall = heights(found)
    assert all(0 <= each <= HEIGHT for each in tall)
    assert max(tall) == (HEIGHT if any(found) else 0)
    pairs = sorted(zip(found, tall, strict=True))
    assert [height for _, height in pairs] == sorted(tall)


@given(text, text)
def test_words_are_escaped(title: str, words: str) -> None:
    label = f"<b>{title}&\"'"
    tree = etree.fromstring(str(bars([Day("2026-11-29", 1)], Words(title, words, [label]))))
    assert tree.findtext(f"{SVG}title") == title
    assert tree.findtext(f"{SVG}desc") == words
    assert tree.findtext(f"{SVG}g/{SVG}title") == label


def test_days_end_today_and_count_by_their_beginning() -> None:
    midnight = TODAY_MS // DAY_MS * DAY_MS
    found = days(
        {midnight: 3, midnight - 2 * DAY_MS: 1, midnight - 3 * DAY_MS: 9, midnight + DAY_MS: 7}, TODAY_MS, 3
    )
    assert found == [Day("2026-11-27", 1), Day("2026-11-28", 0), Day("2026-11-29", 3)]
    assert datetime.fromtimestamp(midnight / 1000, UTC).hour == 0


def test_a_chart_of_nothing() -> None:
    assert drawn([]).findall(f"{SVG}rect") == []
    assert drawn(days({}, TODAY_MS, 90)).findall(f".//{SVG}rect[@class='bar']") == []


def test_months_are_told_apart() -> None:
    tree = drawn(days({}, TODAY_MS, 90))
    places = [float(line.get("x1")) / STEP for line in tree.findall(f"{SVG}line")]
    assert places == [30, 61]  # it begins with September
