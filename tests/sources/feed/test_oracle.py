"""feedparser as the oracle: over documents captured and hand-made, both find the same."""

import calendar
import csv
import html
import re
import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

import feedparser
import pytest

from feedd.model import RawItem
from feedd.sources.feed.parse import parse

DATA = Path(__file__).parent.parent.parent / "data" / "feeds"
URL = "http://example.org/feed.xml"
with (DATA / "manifest.tsv").open(encoding="utf-8") as listing:
    MANIFEST = {row["file"]: row for row in csv.DictReader(listing, delimiter="\t")}
XML_FILES = [name for name, row in MANIFEST.items() if row["format"] != "json"]

# (file, what) → why we and feedparser rightly disagree
EXCEPTIONS = {
    (
        "000d944f-invalid-xml-lang",
        "feed language",
    ): "feedparser turns en_us into en-us; we keep what is stated",
    ("007e5a5b-history_sequence_overflow", "feed link"): "an id that is no address is no link",
    ("007e5a5b-history_sequence_overflow", "link"): "an id that is no address is no link",
    ("00ebb114-entry_id_tag_3", "link"): "an id that is no address is no link",
    ("01587f79-dup-entry-origLink", "link"): "feedburner:origLink is the article, link the counter of clicks",
    ("04dbac45-entry-next-archive", "feed link"): "an id that is no address is no link",
    ("04f9ab72-ws-link-href", "feed link"): "white space is no part of an address",
    ("0609e448-keywords_contains_html", "categories"): "keywords are plain text",
    ("0329a15e-windows1255", "content"): "Hebrew without a label: we find the encoding",
    ("059e81d0-amp-hex-name", "title"): "a control character (&#26;) is left out",
    ("06fc28f2-euckr", "title"): "Korean without a label: we find the encoding",
    ("06fc28f2-euckr", "content"): "Korean without a label: we find the encoding",
    ("07ee5f75-invalid_guid_value_explicit_isPermalink.", "link"): "example.com is no absolute address",
    ("085a7366-invalid_permalink_uuid", "link"): "a URN is no address",
    ("09dc5ace-entry_id_tag_authority_contains_wacky_ch", "link"): "an id that is no address is no link",
    ("0aa55767-entry_id_with_attributes", "link"): "an id that is no address is no link",
    ("0d2e1d9d-content-no-alternate", "link"): "an id that is no address is no link",
    (
        "0d6fc20e-infoset-cdata",
        "content",
    ): "type text: what looks like mark-up is text (RFC 4287 section 3.1.1.1)",
    ("0d74eaf9-entry_issued_bad_hours", "date"): "there is no 25 o'clock",
    ("67c5dc76-7ef13a42fa7e177a", "entries"): "feedparser finds none of the 35",
    ("a5e2307f-4179e7a13df0f120", "authors"): "of several authors feedparser names the last",
    ("e6feed4b-5e19d3b495454497", "authors"): "feedparser adds '(hidden)' from the address",
}
# what feedparser makes of these depends on whether a detector is installed beside it
UNLABELLED = {"0329a15e-windows1255", "06fc28f2-euckr"}


def name_of(file: str) -> str:
    return Path(file).name.removesuffix(".xml")


def folded(text: str | None) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", text or "")).split())


def oracle(data: bytes) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # feedparser's own deprecations
        return feedparser.parse(BytesIO(data), sanitize_html=False, resolve_relative_uris=False)


@pytest.mark.parametrize("file", MANIFEST)
def test_every_entry_is_found(file: str) -> None:
    found = parse((DATA / file).read_bytes(), URL)
    assert len(found.items) >= int(MANIFEST[file]["entries"])
    assert found.parser == "feedd"


@pytest.mark.parametrize("file", XML_FILES)
def test_both_find_the_same(file: str) -> None:
    data = (DATA / file).read_bytes()
    ours, theirs = parse(data, URL), oracle(data)
    found = set(differences_of_feed(ours, theirs.feed))
    if len(ours.items) != len(theirs.entries):
        found.add("entries")
    else:
        for item, entry in zip(ours.items, theirs.entries, strict=True):
            found |= set(differences(item, entry))
    expected = {what for name, what in EXCEPTIONS if name == name_of(file)}
    assert found == expected or (found <= expected and name_of(file) in UNLABELLED)


def differences_of_feed(ours: Any, theirs: Any) -> list[str]:
    pairs = {
        "feed title": (folded(theirs.get("title")), folded(ours.title)),
        "feed link": (theirs.get("link"), ours.url),
        "feed language": (theirs.get("language"), ours.language),
        "ttl": (theirs.get("ttl"), str((ours.ttl_s or 0) // 60)),
        "feed image": (theirs.get("image", {}).get("href"), ours.image),
    }
    return [what for what, (expected, found) in pairs.items() if expected and expected != found]


def differences(item: RawItem, entry: Any) -> list[str]:
    details = item.details
    pairs = {
        "title": (folded(entry.get("title")), folded(item.title)),
        "link": (entry.get("link"), item.url),
        "id": (entry.get("id"), item.guid),
        "authors": (entry.get("author") and author(entry.author), ", ".join(details.authors)),
        "categories": (categories(entry), sorted(set(details.categories))),
        "comments": (entry.get("comments"), details.comments_url),
        "origin": (folded(entry.get("source", {}).get("title")), details.origin),
        "language": (entry.get("language"), details.language),
        "explicit": (entry.get("itunes_explicit"), details.explicit),
    }
    found = [what for what, (expected, ours) in pairs.items() if expected and expected != ours]
    found += [] if same_dates(item, entry) else ["date"]
    found += [] if same_content(item, entry) else ["content"]
    found += [] if same_files(item, entry) else ["enclosures"]
    return found


def author(text: str) -> str:
    """Without the address."""
    named = re.fullmatch(r"\S+@\S+ \((.*)\)|(.*?) \([^)]*@[^)]*\)", text)
    return folded((named[1] or named[2]) if named else text)


def categories(entry: Any) -> list[str]:
    return sorted({folded(tag.label or tag.term) for tag in entry.get("tags", ()) if tag.label or tag.term})


def same_dates(item: RawItem, entry: Any) -> bool:
    ours = {time // 1000 for time in (item.published_ms, item.updated_ms) if time is not None}
    theirs = (dict.get(entry, "published_parsed"), dict.get(entry, "updated_parsed"))
    return all(calendar.timegm(each) in ours for each in theirs if each)


def same_content(item: RawItem, entry: Any) -> bool:
    contents = [each.value for each in entry.get("content", ()) if each.value] or [entry.get("summary")]
    return not any(contents) or folded(item.html) in map(folded, contents)


def same_files(item: RawItem, entry: Any) -> bool:
    ours = {file.url: file for file in item.details.enclosures}
    for each in entry.get("enclosures", ()):
        address = each.get("href", "").strip()
        if address and (address not in ours or (each.get("type") or None) != ours[address].type):
            return False
    media = (each.get("url") for each in entry.get("media_content", ()))
    return all(address in ours for address in media if address and "gravatar.com/" not in address)
