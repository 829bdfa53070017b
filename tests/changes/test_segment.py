"""Sentences, tokens, and what two texts share but for typography."""

import time
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd.changes.segment import LONGEST, key, sentences, tokens

SCRIPTS = st.sampled_from(
    "a b Z é e\u0301 ß 1 2 ٣ ५ 5 , . ! ? … : ; - − – + ± % ° ( ) \" ' ’ “ ” « » 「 」 。 ！ ？ ， 中 文 字 日 の ア ー 한 국 ا ل ر ُ ـ ؟ ۔ क ् ि ।"
    " ส วั ดี เ ក ្ မ 👍 🏽 \u200d 👩 🇫 🇷 \ufe0f \u20e3 \u00ad \u200b \u200f \u2067 \u00a0 \u202f \u3000 ² ½ ′ ″ \n \t _ / @ < & \U00020000".split(
        " "
    )
) | st.just(" ")
TEXTS = st.lists(SCRIPTS, max_size=60).map("".join) | st.text(max_size=60)


@given(TEXTS)
def test_sentences_joined_are_the_paragraph(text: str) -> None:
    assert "".join(sentences(text)) == text
    assert all(sentences(text))


@given(TEXTS)
def test_tokens_joined_are_the_sentence(text: str) -> None:
    assert "".join(tokens(text)) == text
    assert all(tokens(text))


@given(TEXTS)
def test_a_key_has_itself_for_a_key(text: str) -> None:
    assert key(key(text)) == key(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("don’t", "don't"),
        ("“Hello” he said", '"Hello" he said'),
        ("« Bonjour » dit-il", '"Bonjour" dit-il'),
        ("«\u202fBonjour\u202f»", "“Bonjour”"),
        ("‹ Ja ›", '"Ja"'),
        ("「东京」很大", "“东京”很大"),
        ("『東京』", '"東京"'),
        ("你好，世界！", "你好,世界!"),
        ("ＡＢＣ１２３", "ABC123"),
        ("日本\u3000東京", "日本東京"),
        ("日本 東京", "日本東京"),
        ("在 2024 年", "在2024年"),
        ("مـــرحبا", "مرحبا"),
        ("\u202bمرحبا\u202c", "مرحبا"),
        ("Wait...", "Wait…"),
        ("等等……", "等等…"),
        ("exam\u00adple", "example"),
        ("caf\u0065\u0301", "caf\u00e9"),
        ("a  b\u00a0c\n", "a b c"),
        ("5 %", "5\u202f%"),
        ("Quoi ?", "Quoi\u00a0?"),
        ("−5 °C", "-5 °C"),
        ("❤\ufe0f", "❤"),
        ('צה"ל', "צה״ל"),
    ],
)
def test_typography_is_not_in_the_key(one: str, other: str) -> None:
    assert key(one) == key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1.5%", "15%"),
        ("-5", "5"),
        ("the rapist", "therapist"),
        ("m²", "m2"),
        ("5′", "5″"),
        ("5'", '5"'),
        ("5′", "5"),
        ("±5", "5"),
        ("2010–2012", "2010, 2012"),
        ("Cat", "cat"),
        ("it's", "its"),
        ("resume", "résumé"),
        ("1 234", "1234"),
        ("你好，世界", "你好世界"),
        ("ひと", "ヒト"),
        ("٣", "3"),
        ("a; b", "a, b"),
        ("5°", "5"),
        ("한국 어", "한국어"),
        ("می\u200cخواهم", "میخواهم"),
    ],
)
def test_what_is_said_is_in_the_key(one: str, other: str) -> None:
    assert key(one) != key(other)


@pytest.mark.parametrize(
    ("paragraph", "expected"),
    [
        ("", []),
        ("One. Two! Three? Four… Five", ["One. ", "Two! ", "Three? ", "Four… ", "Five"]),
        ("It rose 1.5 points. Then 2.", ["It rose 1.5 points. ", "Then 2."]),
        ("Mr. Smith met Dr. No. J. K. Rowling came.", ["Mr. Smith met Dr. No. J. K. Rowling came."]),
        ("M. Dupont parle. Mme. Curie aussi.", ["M. Dupont parle. ", "Mme. Curie aussi."]),
        ("The U.S. Senate met. It left.", ["The U.S. Senate met. ", "It left."]),
        ('"Why?" she asked. "So."', ['"Why?" she asked. ', '"So."']),
        ("Il dit « Non. » Elle part.", ["Il dit « Non. » ", "Elle part."]),
        ("他说：「好。」然后走了！真的？", ["他说：「好。」", "然后走了！", "真的？"]),
        ("好!不好?", ["好!", "不好?"]),
        ("هل جاء؟ نعم۔ لا", ["هل جاء؟ ", "نعم۔ ", "لا"]),
        ("यह है। वह है।", ["यह है। ", "वह है।"]),
        ("a\nb", ["a\n", "b"]),
        ("1. First. Second.", ["1. First. ", "Second."]),
    ],
)
def test_sentences_end(paragraph: str, expected: list[str]) -> None:
    assert sentences(paragraph) == expected


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("1,234.5 and 1.5", "1,234.5| |and| |1.5"),
        ("1 234,5 €", "1 234,5| |€"),
        ("1\u202f234\u202f567 m²", "1\u202f234\u202f567| |m²"),
        ("in 2024 100 came", "in| |2024| |100| |came"),
        ("at 10:30, -5 °C", "at| |10:30|,| |-5| |°|C"),
        ("2010-2012, covid-19", "2010|-|2012|,| |covid|-|19"),
        ("(−3) ±2 +4%", "(|−3|)| |±2| |+4|%"),
        ("气温-5度", "气|温|-5|度"),
        ("5%-10%", "5|%|-|10|%"),
        ("1½ x³", "1½| |x³"),
        ("٣٫٥ ५५", "٣٫٥| |५५"),
        ("H5N1 G20 v1.5", "H5N1| |G20| |v1.5"),
        ("l’État aujourd’hui don't", "l’|État| |aujourd’hui| |don't"),
        ("mother-in-law's qu'il", "mother-in-law's| |qu'|il"),
        ("中国GDP增长5.2%，iPhone", "中|国|GDP|增|长|5.2|%|，|iPhone"),
        ("コンピューターは", "コンピューター|は"),
        ("한국어는 오전9시", "한국어는| |오전|9|시"),
        ("สวัสดี ๑๒", "ส|วั|ส|ดี| |๑๒"),
        ("ខ្មែរ", "ខ្មែ|រ"),
        ("हिन्दी में", "हिन्दी| |में"),
        ("e\u0301te\u0301", "e\u0301te\u0301"),
        ("👨\u200d👩\u200d👧👍🏽🇫🇷🇩🇪1\ufe0f\u20e3", "👨\u200d👩\u200d👧|👍🏽|🇫🇷|🇩🇪|1\ufe0f\u20e3"),
        ("so... or…", "so|...| |or|…"),
        ("الرئيسُ في", "الرئيسُ| |في"),
        ("葛\U000e0100城", "葛\U000e0100|城"),
    ],
)
def test_tokens(sentence: str, expected: str) -> None:
    assert tokens(sentence) == expected.split("|")


@pytest.mark.parametrize(
    "piece", ["a", "中", ".", '."', "1 ", "a'", ".» ", "\u0301", "👨\u200d", "12,", "-", "l'"]
)
def test_hostile_text_is_cut_in_time_that_grows_with_it(piece: str) -> None:
    text = piece * (300_000 // len(piece))
    begun = time.process_time()
    found = sentences(text)
    took = time.process_time() - begun
    assert took < 1
    assert "".join(found) == text
    assert max(map(len, found)) <= LONGEST
    assert key(text)
    assert "".join(tokens(text)) == text


def test_a_long_text_without_an_end_is_cut_between_words_and_numbers() -> None:
    words = sentences(" ".join(f"word{number}" for number in range(2_000)))
    assert len(words) > 5
    assert all(part.endswith(" ") for part in words[:-1])
    clauses = sentences("，".join(["今天天气很好而且"] * 500))
    assert all(part.endswith("，") for part in clauses[:-1])


def test_a_long_text_is_cut_at_the_same_places_again_behind_an_insertion() -> None:
    text = "".join(Random(1).choices([chr(number) for number in range(0x4E00, 0x5600)], k=50_000))
    longer = sentences(f"{text[:100]}新{text[100:]}")
    assert len(set(longer) & set(sentences(text))) > len(longer) / 2


@pytest.mark.parametrize(
    ("block", "found"),
    [
        ("Yes. ! ? No.", ["Yes. ! ? ", "No."]),
        (". . . Yes.", [". . . ", "Yes."]),
        ("Yes. … and no.", ["Yes. ", "… and no."]),
        ("好。！。不。", ["好。！。", "不。"]),
        (". " * 5, [". " * 5]),
    ],
)
def test_what_holds_no_word_belongs_to_the_sentence_before(block: str, found: list[str]) -> None:
    assert sentences(block) == found
