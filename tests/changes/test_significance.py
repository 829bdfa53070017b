"""How much a change says: labelled pairs in five languages, pairs that others fail on, and rules that hold for any text."""

import re
import subprocess
import sys
import time
import unicodedata
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pairs import LANGUAGES, Pair, judged, pairs

from feedd.changes.significance import LONGEST_REASON, judge
from feedd.changes.spelling import is_correction
from feedd.changes.values import Diff, Hunk, Op
from feedd.model import Significance

Article = list[list[str]]  # sentences, by paragraph
NONE, MINOR, SUBSTANTIAL = Significance.NONE, Significance.MINOR, Significance.SUBSTANTIAL
TABLE = [pair for language in LANGUAGES for pair in pairs(language)]
NASTY = pairs("nasty")


# --- the tables ---


@pytest.mark.parametrize("pair", TABLE, ids=lambda pair: f"{pair.level}: {pair.old} | {pair.new}"[:90])
def test_labelled_pairs(pair: Pair) -> None:
    assert judged(pair.old, pair.new).level is pair.level


@pytest.mark.parametrize("pair", NASTY, ids=lambda pair: f"{pair.old} | {pair.new}"[:90])
def test_one_character_or_word_can_be_the_news(pair: Pair) -> None:
    forth, back = judged(pair.old, pair.new), judged(pair.new, pair.old)
    assert forth.level is pair.level
    assert forth.reasons
    assert back.level is SUBSTANTIAL


def test_what_is_substantial_is_so_in_both_directions() -> None:
    missed = [p for p in TABLE if p.level is SUBSTANTIAL and judged(p.new, p.old).level is not SUBSTANTIAL]
    assert missed == []


def test_the_tables_are_large_and_hold_every_language() -> None:
    assert len(TABLE) >= 200
    for language in LANGUAGES:
        levels = [pair.level for pair in pairs(language)]
        assert len(levels) >= 30
        assert min(levels.count(level) for level in Significance) >= 5


def test_a_substantial_edit_is_seen_beside_harmless_ones() -> None:
    for pair in (p for p in TABLE if p.level is SUBSTANTIAL):
        old = f'<p>They said: "Wait, please".</p>{pair.old}<p>It was a honest mistake.</p>'
        new = f"<p>They said: “Wait please”.</p>{pair.new}<p>It was an honest mistake.</p>"
        assert judged(old, new).level is SUBSTANTIAL, pair


LONG = "".join(f"<p>The old bridge near town number {n} was closed again last night.</p>" for n in range(60))
PLACES = {
    "item": "<p>It rained all day in the city.</p><ul><li>{}</li></ul>",
    "cell": "<p>It rained all day in the city.</p><table><tr><td>{}</td></tr></table>",
    "caption": '<p>It rained.</p><figure><img src="https://e.org/a.jpg"><figcaption>{}</figcaption></figure>',
    "described": '<p>It rained.</p><img src="https://e.org/a.jpg" alt="A bridge">{}<p>It was late.</p>',
    "quotation": "<p>It rained all day in the city.</p><blockquote>{}</blockquote><p>It was late.</p>",
    "article": f"{LONG}{{}}{LONG}",
}


@pytest.mark.parametrize("place", PLACES)
def test_a_level_does_not_depend_on_the_place(place: str) -> None:
    found = []
    for pair in (*TABLE, *NASTY):
        old, new = (PLACES[place].format(text) for text in (pair.old, pair.new))
        if (level := judged(old, new).level) is not pair.level:
            found.append((level, pair))
    assert found == []


# --- where a fingerprint without punctuation sees nothing ---


@pytest.mark.parametrize(
    ("old", "new", "level"),
    [
        ("It rose by 1.5%.", "It rose by 15.", SUBSTANTIAL),
        ("It rose by 1.5%.", "It rose by 15%.", SUBSTANTIAL),
        ("It was -5 outside.", "It was 5 outside.", SUBSTANTIAL),
        ("They met the rapist.", "They met therapist.", SUBSTANTIAL),
        ("It cost $1.2m.", "It cost $12m.", SUBSTANTIAL),
        ("Let's eat, grandma.", "Let's eat grandma.", MINOR),
        ("Some 10-15 came.", "Some 1015 came.", SUBSTANTIAL),
        ("They won 3:1 at home.", "They won 31 at home.", SUBSTANTIAL),
        ("Allies, e.g. U.S. troops.", "Allies, eg US troops.", SUBSTANTIAL),
        ("He can re-sign.", "He can resign.", SUBSTANTIAL),
        ("Call the U.S. today.", "Call the us today.", SUBSTANTIAL),
        ("Is it so? Yes.", "Is it so. Yes.", SUBSTANTIAL),
        ("We're here.", "Were here.", SUBSTANTIAL),
        ("It is 5/10 now.", "It is 510 now.", SUBSTANTIAL),
    ],
)
def test_dropped_punctuation(old: str, new: str, level: Significance) -> None:
    assert judged(f"<p>{old}</p>", f"<p>{new}</p>").level is level
    assert judged(f"<p>{new}</p>", f"<p>{old}</p>").level is level


def test_lines_that_were_wrapped_anew_say_nothing() -> None:
    text = (
        "The old bridge near the town was closed last night, as many people had feared, and it stays so. " * 3
    )
    wide, narrow = (re.sub(rf"(.{{{width}}}\S*) ", r"\1\n", text) for width in (70, 40))
    assert wide != narrow
    assert judged(f"<p>{wide}</p>", f"<p>{narrow}</p>").level is NONE


# --- what stands beside the text ---

SAME = Diff(
    Hunk(Op.EQUAL, "Title", "Title", 0, 0),
    (Hunk(Op.EQUAL, "Text.", "Text.", 0, 0),),
    (None, None),
    ((), ()),
    ((), ()),
)


@pytest.mark.parametrize(
    ("diff", "level", "reasons"),
    [
        (SAME, NONE, ()),
        (SAME._replace(title=Hunk(Op.REPLACE, "War ends", "War goes on", 0, 0)), SUBSTANTIAL, ("title",)),
        (SAME._replace(title=Hunk(Op.REPLACE, "“War” ends", '"War"  ends', 0, 0)), NONE, ()),
        (
            SAME._replace(title=Hunk(Op.REPLACE, "5 dead", "6 dead", 0, 0)),
            SUBSTANTIAL,
            ("number 5 dead → 6 dead", "title"),
        ),
        (SAME._replace(authors=(("Jo Doe",), ("Jo Roe",))), SUBSTANTIAL, ("author",)),
        (SAME._replace(authors=(("Jo  Doe",), ("Jo Doe",))), NONE, ()),
        (SAME._replace(image=("https://a/1.jpg", "https://a/2.jpg")), SUBSTANTIAL, ("lead picture",)),
        (SAME._replace(image=("https://a/1.jpg", None)), SUBSTANTIAL, ("lead picture",)),
        (SAME._replace(image=("https://a/i?id=1", "https://a/i?id=2")), SUBSTANTIAL, ("lead picture",)),
        (SAME._replace(links=(("https://a/",), ())), SUBSTANTIAL, ("link",)),
        (SAME._replace(links=((), ("https://a/",))), SUBSTANTIAL, ("link",)),
    ],
)
def test_beside_the_text(diff: Diff, level: Significance, reasons: tuple[str, ...]) -> None:
    said = judge(diff)
    assert (said.level, said.reasons) == (level, reasons)


# --- live blogs ---

LIVE = "<p>The vote has begun in the north.</p>"
MORE = "<p>12:40 Ten people were not let in.</p>"


@pytest.mark.parametrize(
    ("old", "new", "live", "level", "adds_only"),
    [
        (LIVE, MORE + LIVE, True, MINOR, True),
        (LIVE, MORE + LIVE, False, SUBSTANTIAL, True),
        (LIVE, MORE.replace("Ten", '<a href="https://example.org/">Ten</a>') + LIVE, True, MINOR, True),
        (MORE + LIVE, LIVE, True, SUBSTANTIAL, False),
        (LIVE + MORE, LIVE.replace("north", "south") + MORE, True, SUBSTANTIAL, False),
        (LIVE, MORE + LIVE.replace("north", "south"), True, SUBSTANTIAL, False),
        (LIVE, LIVE.replace("vote has", "vote has not"), True, SUBSTANTIAL, False),
        (LIVE, LIVE, True, NONE, False),
    ],
)
def test_live_blogs(old: str, new: str, live: bool, level: Significance, adds_only: bool) -> None:
    said = judged(old, new, live=live)
    assert (said.level, said.adds_only) == (level, adds_only)


def test_many_harmless_edits_do_not_hide_one_that_is_not() -> None:
    old = "".join(f"<p>Well, this is paragraph {'i' * n} of many.</p>" for n in range(1, 200))
    new = old.replace("Well,", "Well")
    assert judged(old, new).level is MINOR
    assert judged(old, new.replace("i" * 150, "i" * 149 + "x")).level is SUBSTANTIAL


# --- spelling ---


@pytest.mark.parametrize(
    "pair",
    "trial:trail united:untied martial:marital killed:billed proscribed:prescribed interment:internment"
    " censored:censured averse:adverse sulphite:sulphate infirmation:information prison:prion casual:causal"
    " baisée:baissée empoissonné:empoisonné décéderai:déciderai interne:interné gracie:gracié asymptomatic:symptomatic"
    " precent:percent fourty:forty fourteeen:fourteen settember:september soldiers:soldier nevver:never".split(),
)
def test_words_that_are_others(pair: str) -> None:
    old, new = pair.split(":")
    assert not is_correction(old, new)
    assert not is_correction(new, old)


def test_no_dictionary_is_loaded_before_a_word_asks_for_it() -> None:
    script = (
        "from feedd.changes.compare import compare; from feedd.changes.values import Content\n"
        "from feedd.changes.significance import judge; from feedd.changes.spelling import dictionary\n"
        "for old, new in [('killed', 'injured'), ('5', '6'), ('a, b', 'a b'), ('recieve', 'receive')]:\n"
        "    judge(compare(Content('T', f'<p>We {old} it.</p>'), Content('T', f'<p>We {new} it.</p>')))\n"
        "assert dictionary.cache_info().currsize == 0\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode == 0


# --- any article ---

WORDS = {
    "en": "the minister said police found water near old bridge and people left town again".split(),
    "fr": "le ministre parle de la police vers un vieux pont et des gens partent encore".split(),
    "ar": "قال الوزير إن الشرطة وجدت الماء قرب الجسر القديم ثم رحل الناس".split(),
}
NEGATING = {
    "en": ["not", "never", "without", "nobody"],
    "fr": ["pas", "jamais", "sans", "aucun"],
    "ar": ["لا", "لم", "لن", "ليس", "غير"],
}
HAN = "部长说警察在老桥附近找到水人们又离开了城市"


def prose(words: list[str]) -> st.SearchStrategy[str]:
    number = st.integers(0, 99_999).map(str)
    word = st.one_of(st.sampled_from(words), st.sampled_from(words), number)
    comma = st.sampled_from(["", "", "", ","])
    return st.lists(st.tuples(word, comma), min_size=4, max_size=12).map(
        lambda parts: " ".join(word + comma for word, comma in parts).rstrip(",") + "."
    )


def han(size: int = 24) -> st.SearchStrategy[str]:
    characters = st.sampled_from(HAN + "，0123456789")
    return st.lists(characters, min_size=8, max_size=size).map(
        lambda found: "".join(found).strip("，") + "。"
    )


SENTENCES = st.one_of(*(prose(words) for words in WORDS.values()), han())
ARTICLES = st.lists(st.lists(SENTENCES, min_size=1, max_size=3), min_size=1, max_size=3)


def html(article: Article) -> str:
    return "".join(f"<p>{' '.join(paragraph)}</p>" for paragraph in article)


@given(ARTICLES, st.randoms(use_true_random=False))
def test_any_digit_that_changes_is_substantial(article: Article, random: Random) -> None:
    old = html(article)
    digits = [found.start() for found in re.finditer(r"\d", old)]
    assume(digits)
    at = random.choice(digits)
    other = random.choice([digit for digit in "0123456789" if digit != old[at]] + [""])
    assert judged(old, old[:at] + other + old[at + 1 :]).level is SUBSTANTIAL


@given(st.sampled_from(sorted(WORDS)), st.data())
def test_any_negation_that_goes_or_comes_is_substantial(language: str, data: st.DataObject) -> None:
    words = data.draw(prose(WORDS[language])).split(" ")
    at = data.draw(st.integers(0, len(words) - 1))
    denied = [*words[:at], data.draw(st.sampled_from(NEGATING[language])), *words[at:]]
    texts = [f"<p>{' '.join(text)}</p>" for text in (words, denied)]
    for old, new in (texts, texts[::-1]):
        said = judged(old, new)
        assert said.level is SUBSTANTIAL
        assert any("negation" in reason for reason in said.reasons)


@given(ARTICLES, st.data())
def test_any_sentence_that_goes_or_comes_is_substantial(article: Article, data: st.DataObject) -> None:
    paragraph = data.draw(st.integers(0, len(article) - 1))
    at = data.draw(st.integers(0, len(article[paragraph]) - 1))
    shorter = [list(sentences) for sentences in article]
    del shorter[paragraph][at]
    old, new = html(article), html([sentences for sentences in shorter if sentences])
    assert judged(old, new).level is SUBSTANTIAL
    assert judged(new, old).level is SUBSTANTIAL


@given(ARTICLES, st.data())
def test_any_two_letters_that_change_places_say_something(article: Article, data: st.DataObject) -> None:
    old = html(article)
    letters = [m.start() for m in re.finditer(r"(?=([^\W\d_])([^\W\d_]))", old[3:]) if m[1] != m[2]]
    assume(letters)
    at = 3 + data.draw(st.sampled_from(letters))
    assume("<" not in old[at - 2 : at + 2])
    assert judged(old, old[:at] + old[at + 1] + old[at] + old[at + 2 :]).level is not NONE


def quoted(text: str, marks: tuple[str, str]) -> str:
    return re.sub(r"([^\W\d_]+) ([^\W\d_]+)", rf"{marks[0]}\1 \2{marks[1]}", text, count=1)


@given(ARTICLES, st.data())
def test_typography_says_nothing(article: Article, data: st.DataObject) -> None:
    text = html(article)
    marks = st.sampled_from([("“", "”"), ('"', '"'), ("«\u202f", "\u202f»"), ("「", "」"), ("„", "“")])
    old, new = quoted(text, data.draw(marks)), quoted(text, data.draw(marks))
    if data.draw(st.booleans()):
        new = unicodedata.normalize("NFD", new)
    if data.draw(st.booleans()):
        new = re.sub(r"([^\W\d_])(?=[^\W\d_])(?![^<]*>)", "\\1\u00ad", new, count=4)
    if data.draw(st.booleans()):
        new = re.sub(" ", data.draw(st.sampled_from(["  ", "\u00a0", " \t "])), new)
    assert judged(old, new) == (NONE, (), False)


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_two_texts_are_judged(old: str, new: str) -> None:
    said = judged(old, new)
    assert (said.level is NONE) == (said.reasons == ())
    # what joins emoji, parts letters and keeps directions apart is there on purpose
    kept = dict.fromkeys(map(ord, "\u200c\u200d\u2068\u2069"))
    assert all(reason.translate(kept).isprintable() for reason in said.reasons)
    assert all(len(reason) <= LONGEST_REASON for reason in said.reasons)
    assert judged(old, old).level is NONE


def test_hostile_texts_are_judged_in_bounded_time() -> None:
    began = time.perf_counter()
    for old, new in (
        ("<p>" + ",a" * 30_000 + "</p>", "<p>" + "a," * 30_000 + "</p>"),
        ("<p>5 minutes ago</p>" * 2_000, "<p>6 minutes ago</p>" * 1_900 + "<p>x</p>"),
        ("<p>" + "a" * 500_000 + "</p>", "<p>" + "b" * 500_000 + "</p>"),
        ("<p>" + "by " * 20_000 + "5 minutes ago</p>", "<p>" + "by " * 20_000 + "6 minutes ago</p>"),
        ("<p>" + "a b. " * 5_000 + "</p>", "<p>" + "a c. " * 5_000 + "</p>"),
    ):
        assert judged(old, new).level is not NONE or "minutes" in old
    assert time.perf_counter() - began < 20
