"""Out and in again."""

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from feedd.exchange.export import opml_of
from feedd.exchange.naming import tag
from feedd.exchange.opml_in import Subscription, read_opml

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=30)
URL = st.builds(
    "{}://{}/{}".format,
    st.sampled_from(["http", "https"]),
    st.from_regex(r"[a-z]{1,8}\.(org|net)(:[1-9][0-9]{2})?", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9&=?;~+'%-]{0,20}", fullmatch=True),
)
SUBSCRIPTION = st.builds(
    Subscription,
    URL,
    TEXT.map(lambda text: " ".join(text.split())),
    st.none() | URL,
    st.lists(TEXT.map(tag).filter(bool), max_size=4, unique=True).map(tuple),
)


@given(st.lists(SUBSCRIPTION, max_size=8, unique_by=lambda each: each.url.split("://")[1].split("/")[0]))
def test_what_is_exported_is_imported_again(subscribed: list[Subscription]) -> None:
    found = read_opml(opml_of(subscribed))
    assert not found.skipped
    assert set(found.subscriptions) == set(subscribed)
    again = read_opml(opml_of(found.subscriptions))
    assert again == found  # and in the same order from then on


def test_folders_and_categories() -> None:
    written = opml_of(
        [
            Subscription("https://example.org/a", "A & B", None, ("news", "zh", "x")),
            Subscription("https://example.org/c", "C"),
            Subscription("https://example.org/d", "D", "https://example.org/", ("news",)),
        ]
    )
    root = etree.fromstring(written)
    assert root.get("version") == "2.0"
    body = root.find("body")
    assert [(each.get("text"), len(each)) for each in body] == [("news", 2), ("C", 0)]
    a, d = body[0]
    assert dict(a.attrib) == {
        "type": "rss",
        "text": "A & B",
        "title": "A & B",
        "xmlUrl": "https://example.org/a",
        "category": "zh,x",
    }
    assert d.get("htmlUrl") == "https://example.org/"
