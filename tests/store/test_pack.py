from hypothesis import given
from hypothesis import strategies as st

from feedd.store.pack import pack, unpack

texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(texts, texts)
def test_what_is_packed_comes_back(content: str, against: str) -> None:
    assert unpack(pack(content, against), against) == content


def test_an_edit_costs_little() -> None:
    before = "".join(f"<p>段落 {number}: {number * 7919}</p>" for number in range(2_000))
    after = before.replace("<p>段落 1000: ", "<p>更正 1000: ")
    assert len(pack(before, after)) < len(before.encode()) / 100


def test_versions_may_be_large() -> None:
    large = "".join(f"<p>{number}</p>" for number in range(1_000_000))
    assert unpack(pack(large, large + "<p>end</p>"), large + "<p>end</p>") == large
