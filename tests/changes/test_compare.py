"""The comparison of two versions: what is the same, edited, moved; and that nothing is lost in telling it."""

import time
from collections import Counter
from html import escape
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedd.changes.compare import compare
from feedd.changes.matching import BLANK, Numbers, anchors, matching
from feedd.changes.segment import key
from feedd.changes.unified import unified
from feedd.changes.values import Content, Diff, Hunk, Op, Piece
from feedd.normalise.text import plain_text

SENTENCES = st.sampled_from(
    [
        "The minister said on Monday that prices rose 1.5%. ",
        "The minister said on Tuesday that prices rose 15%. ",
        "Nobody was hurt, the police said. ",
        "It is -5 °C. ",
        "It is 5 °C. ",
        "Yes. ",
        "「东京」的气温是25度。",
        "“东京”的气温是-25度，明天有雨。",
        "他说GDP增长了5.2%。",
        "وقال الرئيسُ إن ٣٫٥ مليون شخص. ",
        "وقال الرئيس إن ٤٫٥ مليون شخص؟ ",
        "L’État a dit « non » à 1 234,5 personnes. ",
        "L'Etat a dit “oui” à 1\u202f234,5 personnes. ",
        "caf\u00e9 👩\u200d👩\u200d👧 🇫🇷. ",
        "cafe\u0301 👩\u200d👧 🇩🇪. ",
        "สวัสดีชาวโลก ",
        "東京でコンピューターを買いました。",
        "a - b.",
        "a-b.",
        " ",
    ]
)
PARAGRAPHS = st.lists(st.lists(SENTENCES, max_size=6).map("".join), max_size=6)
LETTERS = st.lists(st.text("ab 1.,-中文\u0301'\"!", max_size=12), max_size=5)
TEXTS = PARAGRAPHS | LETTERS


def content(
    *paragraphs: str, title: str = "Title", authors: tuple[str, ...] = (), enclosures: tuple[str, ...] = ()
) -> Content:
    html = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs)
    return Content(title, html, None, authors, enclosures)


def read(hunks: tuple[Hunk, ...], side: str) -> list[str]:
    """The text of one side, put together again."""
    found: dict[int, str] = {}
    place = f"{side}_block"
    for hunk in hunks:
        block = getattr(hunk, place)
        if block is not None:
            assert block == max(found, default=0) or block == max(found, default=-1) + 1
            found[block] = found.get(block, "") + getattr(hunk, side)
        else:
            assert getattr(hunk, side) == ""
    return list(found.values())


def check(old: Content, new: Content) -> Diff:
    diff = compare(old, new)
    assert read(diff.hunks, "old") == plain_text(old.html).splitlines()
    assert read(diff.hunks, "new") == plain_text(new.html).splitlines()
    for hunk in (diff.title, *diff.hunks):
        check_pieces(hunk)
        if hunk.op is Op.EQUAL:
            assert key(hunk.old) == key(hunk.new) or not ops(diff)
        elif hunk.op is Op.REPLACE:
            assert key(hunk.old) != key(hunk.new)
            assert {piece.op for piece in hunk.pieces} - {Op.EQUAL}
    moves = Counter(hunk.move for hunk in diff.hunks if hunk.op is Op.MOVE)
    assert set(moves.values()) <= {2}
    assert None not in moves
    return diff


def check_pieces(hunk: Hunk) -> None:
    if not hunk.pieces:
        return
    if hunk.op is not Op.MOVE:  # whose old text stands with its other end
        assert "".join(piece.old for piece in hunk.pieces) == hunk.old
    assert "".join(piece.new for piece in hunk.pieces) == hunk.new
    assert all(a.op is not b.op for a, b in pairwise(hunk.pieces))
    for piece in hunk.pieces:
        assert piece.old or piece.new
        assert not (piece.op is Op.INSERT and piece.old)
        assert not (piece.op is Op.DELETE and piece.new)
    for piece in hunk.pieces[1:-1]:
        if piece.op is Op.EQUAL:
            assert any(map(str.isalnum, piece.old))


def ops(diff: Diff) -> list[Op]:
    return [hunk.op for hunk in diff.hunks if hunk.op is not Op.EQUAL]


def edits(old: str, new: str) -> list[tuple[str, str]]:
    """The pieces of the one hunk that differs: a sign, and the text."""
    (hunk,) = [hunk for hunk in check(content(old), content(new)).hunks if hunk.op is not Op.EQUAL]
    assert hunk.op is Op.REPLACE
    signs = {Op.EQUAL: "=", Op.DELETE: "-", Op.INSERT: "+"}
    return [(signs[piece.op], piece.old or piece.new) for piece in hunk.pieces]


@given(TEXTS, TEXTS)
def test_nothing_is_lost(old: list[str], new: list[str]) -> None:
    check(content(*old), content(*new))


@given(TEXTS)
def test_a_version_is_the_same_as_itself(text: list[str]) -> None:
    diff = check(content(*text), content(*text))
    assert not ops(diff)
    assert diff.title.op is Op.EQUAL
    assert diff.links == ((), ())


@given(PARAGRAPHS, st.data())
def test_shuffled_and_edited_paragraphs(text: list[str], data: st.DataObject) -> None:
    check(content(*text), content(*data.draw(st.permutations(text)), *data.draw(PARAGRAPHS)))


@given(st.text(max_size=40), st.text(max_size=40))
def test_titles(old: str, new: str) -> None:
    hunk = compare(content(title=old), content(title=new)).title
    check_pieces(hunk)
    assert (hunk.op is Op.EQUAL) == (key(old) == key(new))


@given(st.text(max_size=200), st.text(max_size=200))
def test_bodies_that_are_no_html(old: str, new: str) -> None:
    compare(Content("", old), Content("", new))


@settings(max_examples=30)
@given(st.lists(st.integers(1, 5), max_size=30), st.lists(st.integers(1, 5), max_size=30))
def test_runs_match_and_are_in_order(old: list[int], new: list[int]) -> None:
    runs = matching(old, new)
    for run in runs:
        assert old[run.old : run.old + run.size] == new[run.new : run.new + run.size]
    for a, b in pairwise(runs):
        assert a.old + a.size <= b.old
        assert a.new + a.size <= b.new


def test_anchors_are_the_longest_chain_in_order() -> None:
    assert anchors([1, 2, 3, 4, 9, 9], [9, 3, 1, 2, 4, 4, 5]) == [(0, 2), (1, 3)]
    assert anchors([1, 2], [3]) == []


def test_one_number_for_what_typography_alone_tells_apart() -> None:
    numbers = Numbers()
    assert numbers["“"] == numbers['"']
    assert numbers[" "] == numbers["\u200f"] == BLANK


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("Up 1.5% now", "Up 15% now", "=Up |-1.5|+15|=% now"),
        ("1.5%", "15%", "-1.5|+15|=%"),
        ("It is -5 now", "It is 5 now", "=It is |--5|+5|= now"),
        ("-5", "5", "--5|+5"),
        ("the rapist", "therapist", "-the rapist|+therapist"),
        (
            "See the rapist at work here",
            "See therapist at work here",
            "=See |-the rapist|+therapist|= at work here",
        ),
        ("The quick fox ran home", "The slow fox ran home", "=The |-quick|+slow|= fox ran home"),
        ("Ann ran home", "Ann ran all the way home", "=Ann ran |+all the way |=home"),
        ("He ran home alone.", "He ran home.", "=He ran home|- alone|=."),
        ("He is not guilty of it", "He is guilty of it", "=He is |-not |=guilty of it"),
        ("GDP增长5.2%，超预期", "GDP增长2.5%，超预期", "=GDP增长|-5.2|+2.5|=%，超预期"),
        ("我买了iPhone 15手机", "我买了iPad 15手机", "=我买了|-iPhone|+iPad|= 15手机"),
        ("气温是-5度", "气温是5度", "=气温是|--5|+5|=度"),
        ("東京でパソコンを買った", "東京でテレビを買った", "=東京で|-パソコン|+テレビ|=を買った"),
        ("قال ٣٫٥ مليون اليوم", "قال ٤٫٥ مليون اليوم", "=قال |-٣٫٥|+٤٫٥|= مليون اليوم"),
        (
            "a 👨\u200d👩\u200d👧 b c",
            "a 👨\u200d👩\u200d👦 b c",
            "=a |-👨\u200d👩\u200d👧|+👨\u200d👩\u200d👦|= b c",
        ),
        ("Il y a 1 234,5 euros ici", "Il y a 1 234,6 euros ici", "=Il y a |-1 234,5|+1 234,6|= euros ici"),
        ("He said and / or wrote it", "He said and/or wrote it", "=He said and|- / |+/|=or wrote it"),
        ("Pay $ 5 to me", "Pay $5 to me", "=Pay $|- |=5 to me"),
    ],
)
def test_pieces(old: str, new: str, expected: str) -> None:
    assert edits(old, new) == [(part[0], part[1:]) for part in expected.split("|")]


def test_little_in_common_is_no_alternation() -> None:
    old = "Officials in the capital said the vote was fair and the count was over by noon there."
    new = "Critics of the party called the count a fraud and the result an insult to all voters."
    diff = check(content(title=old), content(title=new))
    old_title = compare(content(title=old), content(title=new)).title
    assert sum(piece.op is Op.EQUAL for piece in old_title.pieces) <= 2
    assert not ops(diff)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("“Hello,” he said… then left", '"Hello," he said... then left'),
        ("« Non », dit-elle.", '"Non", dit-elle.'),
        ("「東京」は 25 度。", "“東京”は25度。"),
        ("caf\u00e9", "cafe\u0301"),
        ("\u202bمرحـــبا بكم\u202c", "مرحبا بكم"),
        ("exam\u00adple", "example"),
    ],
)
def test_typography_is_no_edit(old: str, new: str) -> None:
    assert not ops(check(content("Before.", old, "After."), content("Before.", new, "After.")))
    assert compare(content(title=old), content(title=new)).title.op is Op.EQUAL


LONG = "The committee of the town met in the old hall last night."
OTHER = "Nobody had asked the farmers what they thought of the plan."
THIRD = "Work on the bridge will begin when the river is low again."


def test_a_moved_paragraph() -> None:
    diff = check(content(LONG, OTHER, THIRD), content(OTHER, THIRD, LONG))
    assert ops(diff) == [Op.MOVE, Op.MOVE]
    went, came = (hunk for hunk in diff.hunks if hunk.op is Op.MOVE)
    assert (went.old, went.old_block, went.new_block) == (LONG, 0, None)
    assert (came.new, came.old_block, came.new_block) == (LONG, None, 2)
    assert went.move == came.move


def test_a_moved_paragraph_that_was_edited() -> None:
    edited = LONG.replace("last night", "last week")
    diff = check(content(LONG, OTHER, THIRD), content(OTHER, THIRD, edited))
    came = next(hunk for hunk in diff.hunks if hunk.op is Op.MOVE and hunk.new)
    assert [piece for piece in came.pieces if piece.op is not Op.EQUAL] == [
        Piece(Op.DELETE, "night", ""),
        Piece(Op.INSERT, "", "week"),
    ]


def test_a_moved_sentence_takes_its_short_neighbour_along() -> None:
    diff = check(
        content(f"{LONG} Really. {OTHER} Quite so.", THIRD),
        content(f"{OTHER} Quite so.", f"{THIRD} {LONG} Really."),
    )
    moved = [hunk for hunk in diff.hunks if hunk.op is Op.MOVE]
    assert [hunk.old.strip() for hunk in moved if hunk.old] == [f"{LONG} Really."]


def test_a_moved_paragraph_of_chinese() -> None:
    first, second = "东京今天的最高气温是二十五摄氏度。", "首相在国会表示将会减税以刺激经济。"
    assert ops(check(content(first, second), content(second, first))) == [Op.MOVE, Op.MOVE]


def test_short_texts_do_not_move() -> None:
    assert Op.MOVE not in ops(check(content("Yes.", LONG, OTHER), content(LONG, OTHER, "Yes.")))


def test_split_and_joined_paragraphs_are_the_same_text() -> None:
    assert not ops(check(content(f"{LONG} {OTHER}"), content(LONG, OTHER)))
    assert not ops(check(content(LONG, OTHER), content(f"{LONG} {OTHER}")))


def test_joined_sentences_are_one_edit() -> None:
    old = "He went to the market with a friend. Then he bought some bread and wine."
    new = "He went to the market with a friend, then he bought some bread and wine."
    assert ops(check(content(old), content(new))) == [Op.REPLACE]
    assert ops(check(content(new), content(old))) == [Op.REPLACE]


def test_a_sentence_among_those_that_repeat_it() -> None:
    diff = check(content(*[LONG] * 300), content(*[LONG] * 150, OTHER, *[LONG] * 149))
    assert len(ops(diff)) <= 2


def test_tables_and_lists() -> None:
    table = (
        "<table><tr><td>Ada</td><td>{}</td></tr><tr><td>Bob</td><td>{}</td></tr></table><ul><li>x</li></ul>"
    )
    diff = check(Content("", table.format(10, 20)), Content("", table.format(15, 27)))
    assert [(hunk.old, hunk.new) for hunk in diff.hunks if hunk.op is Op.REPLACE] == [
        ("10", "15"),
        ("20", "27"),
    ]
    assert ops(diff) == [Op.REPLACE, Op.REPLACE]


def test_empty_bodies() -> None:
    assert compare(content(), content()).hunks == ()
    assert ops(check(content(), content("New."))) == [Op.INSERT]
    assert ops(check(content("Old."), content())) == [Op.DELETE]


def test_links_are_compared_as_a_multiset_in_order() -> None:
    old = Content("", '<a href="https://a.example/?utm_source=x">a</a><a href="https://b.example/">b</a>')
    new = Content(
        "",
        '<a href="https://c.example/">c</a><a href="https://a.example/">a</a><a href="https://a.example/">a</a>',
    )
    assert compare(old, new).links == (
        ("https://b.example/",),
        ("https://c.example/", "https://a.example/"),
    )


def test_pictures_of_another_size_are_the_same() -> None:
    old = Content("", '<img src="http://i.example/1.jpg?w=100"><a href="https://x.example/?p=1">x</a>')
    new = Content("", '<img src="https://i.example/1.jpg?w=900"><a href="https://x.example/?p=2">x</a>')
    assert compare(old, new).links == (("https://x.example/?p=1",), ("https://x.example/?p=2",))


def test_text_that_looks_like_a_link_is_none() -> None:
    assert compare(Content("", '<p>write src="x" here</p>'), Content("", "<p>write it here</p>")).links == (
        (),
        (),
    )


def test_the_lead_picture_stands_by_itself() -> None:
    old = Content("", '<img src="https://i.example/1.jpg">', "https://i.example/1.jpg")
    new = Content("", '<img src="https://i.example/2.jpg">', "https://i.example/2.jpg")
    diff = compare(old, new)
    assert diff.links == ((), ())
    assert diff.image == ("https://i.example/1.jpg", "https://i.example/2.jpg")


def test_enclosures_and_authors() -> None:
    old = content(enclosures=("https://e.example/1.mp3",), authors=("Ada",))
    diff = compare(old, content(authors=("Bob",)))
    assert diff.links == (("https://e.example/1.mp3",), ())
    assert diff.authors == (("Ada",), ("Bob",))


def seconds(old: Content, new: Content) -> float:
    begun = time.process_time()
    check_read = compare(old, new)
    took = time.process_time() - begun
    assert read(check_read.hunks, "new") == plain_text(new.html).splitlines()
    return took


def article(random: Random, size: int) -> list[str]:
    words = [f"{chr(97 + at % 26)}{chr(97 + at % 17)}{at % 1000}x" for at in range(3_000)] + [
        "the",
        "of",
        "in",
    ] * 400
    made: list[str] = []
    while sum(map(len, made)) < size:
        made.append(
            " ".join(". ".join(" ".join(random.choices(words, k=14)) for _ in range(5)).split()) + "."
        )
    return made


def test_a_large_rewrite_is_quick() -> None:
    random = Random(1)
    assert seconds(content(*article(random, 200_000)), content(*article(random, 200_000))) < 2


@pytest.mark.parametrize("letters", ["abcdefgh", "的一是在不了有和人这中大"])
def test_five_megabytes_without_a_space_are_quick(letters: str) -> None:
    random = Random(1)
    size = 5_000_000 // len(letters[0].encode())
    old, other = ("".join(random.choices(letters, k=size)) for _ in range(2))
    assert seconds(content(old), content(other)) < 6
    assert seconds(content(old), content(f"{old[: size // 2]}z{old[size // 2 :]}")) < 6


@pytest.mark.parametrize("piece", ["中文", "a b ", "1 ", "x. ", '"', "👨\u200d", "- "])
def test_hostile_repetition_is_bounded(piece: str) -> None:
    text = piece * (300_000 // len(piece))
    assert seconds(content(text), content(f"{text[: len(text) // 2]}Q{text[len(text) // 2 :]}Z")) < 5


def test_a_unified_text_says_which_of_its_parts_hold_a_move() -> None:
    rest = [f"Here stands sentence number {number} of them." for number in range(9)]
    moved = "The mayor resigned on Tuesday after a long scandal over housing."
    text = unified(compare(content(moved, *rest), content(*rest, moved)), "1", "2", context=1)
    heads = [line for line in text.split("\n") if line.startswith("@@")]
    assert heads == ["@@ -1,3 +1,2 @@ moved away (1)", "@@ -11 +10,2 @@ moved here (1)"]


# --- tables and lists ---


def table(*rows: str) -> str:
    cells = ("".join(f"<td>{cell}</td>" for cell in row.split()) for row in rows)
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"


def edits_of(old: str, new: str) -> list[tuple[Op, str, str]]:
    diff = compare(Content("Title", old), Content("Title", new))
    return [(hunk.op, hunk.old, hunk.new) for hunk in diff.hunks if hunk.op is not Op.EQUAL]


def test_numbers_that_changed_places_are_told_where_they_stand() -> None:
    found = edits_of(table("Labour 312", "Tory 200", "Green 5"), table("Labour 200", "Tory 312", "Green 5"))
    assert found == [(Op.REPLACE, "312", "200"), (Op.REPLACE, "200", "312")]


def test_a_number_beside_a_new_row_is_told_as_edited() -> None:
    old = table("Gaza 12", "Rafah 12", "Jenin 4")
    new = table("Gaza 12", "Rafah 15", "Nablus 3", "Jenin 4")
    assert edits_of(old, new) == [(Op.REPLACE, "12", "15"), (Op.INSERT, "", "Nablus"), (Op.INSERT, "", "3")]


def test_rows_that_changed_places_are_no_edits() -> None:
    found = edits_of(table("Gaza 12", "Rafah 15"), table("Rafah 15", "Gaza 12"))
    assert {op for op, _, _ in found} == {Op.INSERT, Op.DELETE}


def test_the_end_of_a_cell_that_moved_is_said_in_words() -> None:
    found = edits_of("<ul><li>A b</li><li>c</li></ul>", "<ul><li>A</li><li>b c</li></ul>")
    assert found == [
        (Op.REPLACE, "A b [end of cell]", "A [end of cell]"),
        (Op.REPLACE, "c", "b c"),
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (["A word 0. " * 6000], ["A word 1. " * 6000]),
        (["The same."] * 5000, ["The other."] * 4900),
        ([". " * 500_000], [". " * 500_000 + "x"]),
    ],
    ids=["one sentence again and again", "one paragraph again and again", "no word at all"],
)
def test_what_repeats_takes_no_longer(old: list[str], new: list[str]) -> None:
    start = time.process_time()
    compare(content(*old), content(*new))
    assert time.process_time() - start < 3
