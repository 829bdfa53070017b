"""Tokens: what counts as a word, and that places in a text and its tokens agree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd.search.segment import LONGEST, fold, segmented, tokens


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("The Café, don't", "the cafe don t"),
        ("Straße STRASSE", "strasse strasse"),
        ("ﬁne ①", "fine 1"),
        ("5G网络", "5g 网 络"),
        ("COVID疫情2020年", "covid 疫 情 2020 年"),
        ("１２３ＡＢＣ", "123abc"),
        ("ﾃｽﾄ", "テ ス ト"),
        ("日本語カタカナひらがな", "日 本 語 カ タ カ ナ ひ ら が な"),
        ("한국어", "한 국 어"),
        ("\u1112\u1161\u11ab", "한"),
        ("か\u3099", "が"),
        ("𠀋𪜀", "𠀋 𪜀"),
        ("文，字。", "文 字"),
        ("kødet Łódź", "kødet łodz"),
        ("Ёлка", "елка"),
        ("हिन्दी भाषा", "हिन्दी भाषा"),
        ("שָׁלוֹם", "שלום"),
        ("مُحَمَّد", "محمد"),
        ("İstanbul", "istanbul"),
        ("3.5 % $5", "3 5 $ 5"),
        ("🎉👍🏽", "🎉 👍 🏽"),
        ("a_b-c", "a b c"),
        ("soft\u00adhyphen", "softhyphen"),
        ("\x00\x1b[31m", "31m"),
        ("", ""),
        ("\ud800", ""),
    ],
)
def test_tokens(text: str, segments: str) -> None:
    assert segmented(text) == segments


@given(st.text(max_size=80))
def test_tokens_are_made_once(text: str) -> None:
    made = tokens(text)
    assert tokens(" ".join(made)) == made
    assert all(0 < len(token) <= LONGEST and not token.isspace() for token in made)
    assert fold(fold(text)) == fold(text)


def test_a_key_without_a_break_counts_as_several() -> None:
    assert [len(token) for token in tokens("a" * 150)] == [64, 64, 22]
    assert [len(token) for token in tokens("é" * 65 + "网")] == [64, 1, 1]
