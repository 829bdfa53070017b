"""Why a change is what it is, in words."""

import re

import pytest
from pairs import judged

from feedd.changes.significance import LONGEST_REASON, MOST_REASONS
from feedd.changes.wordings import shown


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("Jobless at 1.5 % in May", "Jobless at 15 % in May", "number 1.5% → 15%"),
        ("It was -5 °C at noon", "It was 5 °C at noon", "number -5 °C → 5 °C"),
        ("A loss of $1.2m is due", "A loss of $12m is due", "number $1.2m → $12m"),
        ("He was seen there", "He was not seen there", "negation added: not"),
        ("Il n'est pas venu hier", "Il n'est venu hier", "negation removed: pas"),
        ("Mr Smith was there", "Mr Smyth was there", "name Smith → Smyth"),
        ('He said "it is over" now', "He said it is over now", "quotation"),
        ("On 3 May he left", "On 4 May he left", "date 3 May → 4 May"),
        ("They meet on Monday there", "They meet on Friday there", "date Monday → Friday"),
        ("Two were killed there", "Two were injured there", "wording: killed → injured"),
        ("The former mayor left", "The mayor left", "wording removed: former"),
        ("They recieve it today", "They receive it today", "spelling: recieve → receive"),
        ("First we go, then rest", "First we go then rest", "punctuation"),
        ("会谈在北京举行", "会谈在南京举行", "wording: 在北京 → 在南京"),
        ("失业率升至1.5%", "失业率升至15%", "number 1.5% → 15%"),
        (
            "The toll is 12 people now",
            "The toll is at least 19 people now",
            "number 12 people → at least 19 people",
        ),
        ("Police arrested 5 men", "Police did not arrest anyone", "number removed: 5"),
        ("Police arrested 5 men", "Police did not arrest anyone", "negation added: not"),
        ("They won 2 at home", "They won 1–2 at home", "number 2 → 1–2"),
        ("They won 2–1 at home", "They won 1–2 at home", "number 2–1 → 1–2"),
        ("It is 4/7 now", "It is 7/4 now", "number 4/7 → 7/4"),
        ("会议周一公布", "会议周二公布", "date 周一 → 周二"),
        ("会议星期一公布", "会议星期二公布", "date 星期一 → 星期二"),
        ("会議は月曜日に開く", "会議は火曜日に開く", "date 月曜 → 火曜"),
        ("会议5月3日举行", "会议5月4日举行", "date 5月3日 → 5月4日"),
        ("损失2.5亿美元", "损失2.5亿日元", "number 2.5亿美元 → 2.5亿日元"),
        ("The UN said so", "The US said so", "name UN → US"),
        ("It cost US$3bn then", "It cost A$3bn then", "number US$3bn → A$3bn"),
        ("他看到人走了", "他看到二人走了", "number added: 二人"),
        ("The victim's families wept", "The victims' families wept", "wording: victim's → victims'"),
        ("He sent 👨‍👩‍👧 then", "He sent 👨‍👩‍👦 then", "wording: 👨‍👩‍👧 → 👨‍👩‍👦"),
        (
            "عن السوق القديم في المدينة",
            "عن السوق الجديد في المدينة",
            "wording: \u2068القديم\u2069 → \u2068الجديد\u2069",
        ),
        ("حضر ١٢ طالبا", "حضر ١٣ طالبا", "number \u2068١٢\u2069 → \u2068١٣\u2069"),
        ("He was сharged there", "He was charged there", "look-alike letters: сharged → charged"),
        ("Smith, Jones and Lee died", "Smith Jones and Lee died", "punctuation: Smith, Jones → Smith Jones"),
    ],
)
def test_reasons_in_words(old: str, new: str, reason: str) -> None:
    assert reason in judged(f"<p>{old}.</p>", f"<p>{new}.</p>").reasons


@pytest.mark.parametrize(
    ("old", "new", "reasons"),
    [
        ("He was 3rd there", "He was 2nd there", ("number 3rd → 2nd",)),
        ("He got half of it", "He got a third of it", ("number half → a third",)),
        ("Il n'est pas roi", "Il ne fut pas roi", ("wording: n'est → ne fut",)),
        ("She said: Nobody left", "She said: nobody left", ("wording: Nobody → nobody",)),
        ("他可能会来", "他一定会来", ("wording: 可能 → 一定",)),
        ("少なくとも三人が死亡", "多くて三人が死亡", ("wording: 少な → 多", "wording: とも → て")),
        ("if a < b then", "if a b then", ("wording removed: <",)),
        (
            "We saw 5 very big old brown dogs run",
            "We saw 5 young cats that had come run",
            ("wording: very big old brown dogs → young cats that had come",),
        ),
        ("It is 5公里 long", "It is 5米 long", ("number 5公里 → 5米",)),
        (
            "They all saw big dogs in town",
            "They all saw some cats in town",
            ("wording: big dogs → some cats",),
        ),
    ],
)
def test_what_differs_is_told_once(old: str, new: str, reasons: tuple[str, ...]) -> None:
    assert judged(f"<p>{old}.</p>", f"<p>{new}.</p>").reasons == reasons


def test_a_sentence_that_moves_within_its_paragraph_is_no_paragraph() -> None:
    one, two = "The old dogs barked all night.", "Some men came here to look."
    assert judged(f"<p>{one} {two}</p>", f"<p>{two} {one}</p>").reasons == ("sentence moved",)
    assert judged(f"<p>{one}</p><p>{two}</p>", f"<p>{two}</p><p>{one}</p>").reasons == ("paragraph moved",)


def test_sentences_are_counted() -> None:
    old = "<p>One man stood here. Some dogs barked at him. Later it rained a lot. At last all went home.</p>"
    assert judged(old, "<p>One man stood here.</p>").reasons == ("3 sentences removed",)
    assert judged("<p>One man stood here.</p>", old).reasons == ("3 sentences added",)
    assert judged(
        old, "<p>One man stood here. Later it rained a lot. At last all went home.</p>"
    ).reasons == ("sentence removed",)


def test_the_most_telling_comes_first_and_many_are_cut() -> None:
    words = "alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo".split()
    old = "".join(f"<p>The committee met the {word} group in the town hall today.</p>" for word in words)
    new = old.replace("the ", "some ").replace("juliet group", "juliet group of 5")
    for word in words:
        new = new.replace(word, word + "x")
    said = judged(old, new).reasons
    assert said[0].startswith("number")
    assert len(said) == MOST_REASONS + 1
    assert re.fullmatch(r"and \d+ more", said[-1])


def test_reasons_are_plain_and_bounded() -> None:
    said = judged(
        "<p>He said a thing.</p>", f"<p>He said \u202e{'x' * 500}\u0007 a\u200bb thing.</p>"
    ).reasons
    assert said
    assert all(reason.isprintable() and len(reason) <= LONGEST_REASON for reason in said)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("می\u200cخواهم", "می\u200cخواهم"),  # Persian parts two letters so that would join
        ("pay\u200cpal", "paypal"),
        ("👩\u200d🚀 a\u200db", "👩\u200d🚀 ab"),
    ],
)
def test_what_shows_nothing_stays_where_it_spells(text: str, words: str) -> None:
    assert shown(text) == words
