"""Messages in words: the defaults in each form, templates of a configuration, and what happens if these fail."""

import asyncio
import json
import os
import re
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html
from markdown import markdown  # type: ignore[import-untyped]

from feedd.changes.compare import compare
from feedd.changes.values import Content
from feedd.config.templates import Template
from feedd.model import Kind
from feedd.notify import rendering, view
from feedd.notify.defaults import by_default
from feedd.notify.rendering import Renderer
from feedd.notify.room import JOINT, Room, units
from feedd.notify.sandbox import context
from feedd.notify.values import DIGEST, TEST, Fact, Form, Message, Text

BASE = "https://feeds.example.org/"
HOSTILE = (
    "<script>alert(1)</script> [x](https://evil.example) *b* `c` @everyone\r\nBcc: a@b.org \x1b[31m\u202e"
)
FORMS = tuple(Form)
Out = TypeVar("Out")
EDIT = Fact(
    7,
    Kind.EDITED,
    "Edited: Fire at the depot",
    "Fire at the depot",
    1_700_000_000_000,
    "gazette",
    f"{BASE}entries/3/diff/1..2",
    "substantial",
    ("number 1.5 % → 15 %",),
    "https://gazette.example/fire_(depot)",
    diff=compare(Content("T", "<p>It was 1.5 % in May.</p>"), Content("T", "<p>It was 15 % in May.</p>")),
)
ADDED = EDIT._replace(
    kind=Kind.ADDED, headline="New: A story", title="A story", reasons=(), diff=None, began="It began so."
)
REMOVED = ADDED._replace(kind=Kind.REMOVED, headline="Removed: A story", page_url=f"{BASE}entries/3")
FAILING = Fact(
    9,
    Kind.SOURCE_FAILING,
    "The source blog is failing",
    "blog",
    0,
    "blog",
    f"{BASE}feeds/blog",
    note="blog.example answered 503.",
)


def message(*facts: Fact, kind: str = "entry.edited", **more: Any) -> Message:
    return Message("msg_1", kind, 1_700_000_000_000, "desk", {"n": 1}, facts, **more)


def written(**texts: str) -> Template:
    """Templates as a configuration has them once they were checked, which is not this module's affair."""
    return Template.model_construct(**texts)  # type: ignore[arg-type]


def with_renderer(
    work: Callable[[Renderer], Awaitable[Out]],
) -> tuple[Out, list[tuple[str, str]]]:
    """What the work came to, and what was reported."""
    reports: list[tuple[str, str]] = []

    async def done() -> Out:
        async with Renderer(BASE, lambda *said: reports.append(said)) as renderer:
            return await work(renderer)

    return asyncio.run(done()), reports


def told(
    what: Message, template: Template | None = None, *forms: Form
) -> tuple[tuple[Text, ...], list[tuple[str, str]]]:
    return with_renderer(lambda renderer: renderer.texts(template or Template(), what, forms or FORMS))


def bodies(what: Message) -> dict[Form, str]:
    texts, reports = told(what)
    assert not reports
    return {text.form: text.body for text in texts}


def test_an_edit_says_what_changed_and_where_to_read_it() -> None:
    texts, _ = told(message(EDIT))
    assert [text.form for text in texts] == list(FORMS)
    assert {text.title for text in texts} == {"Edited: Fire at the depot"}
    plain, rich, marked = (text.body for text in texts)
    assert plain == (
        "- number 1.5 % → 15 %\n\nIt was [-1.5-]{+15+} % in May.\n\n"
        "Article: https://gazette.example/fire_(depot)\n"
        f"Comparison: {BASE}entries/3/diff/1..2\n\ngazette, 14 Nov 2023, 22:13 UTC\n"
    )
    assert marked == (
        "- number 1.5 % → 15 %\n\nIt was ~~1.5~~ **15** % in May.\n\n"
        f"[Article](https://gazette.example/fire_%28depot%29) · [Comparison]({BASE}entries/3/diff/1..2)\n\n"
        "*gazette, 14 Nov 2023, 22:13 UTC*\n"
    )
    tree = html.fromstring(rich)
    assert [each.text for each in tree.iter("del", "ins")] == ["1.5", "15"]
    assert "style=" in rich
    links = [link.get("href") for link in tree.iter("a")]
    assert {EDIT.article_url, EDIT.page_url, BASE} <= set(links)


def test_what_came_and_what_went_tell_how_they_begin() -> None:
    for body in bodies(message(ADDED)).values():
        assert "It began so." in body
        assert "no longer there" not in body
    for body in bodies(message(REMOVED)).values():
        assert "no longer there. It began:" in body
        assert "It began so." in body
        assert "All versions" in body


def test_a_source_tells_what_to_do() -> None:
    for body in bodies(message(FAILING, kind="source.failing")).values():
        assert "blog.example answered 503." in body
        assert "feedd update blog" in body
        assert f"{BASE}feeds/blog" in body


def test_a_digest_counts_and_names_each() -> None:
    texts, _ = told(message(EDIT, REMOVED, FAILING, kind=DIGEST))
    assert texts[0].title == "3 changes: 1 edited, 1 removed, 1 source failing"
    for text in texts:
        assert text.title in text.body
        assert "1.5 % → 15 %" in text.body
        assert f"{BASE}feeds/blog" in text.body
        assert "more" not in text.body
    texts, _ = told(message(EDIT, EDIT, kind=DIGEST, more=1_048))
    assert texts[0].title == "1,050 changes"
    assert all("1,048 more" in text.body for text in texts)
    assert told(message(kind=DIGEST))[0][0].title == "0 changes"
    assert told(message(EDIT, kind=DIGEST))[0][0].title == EDIT.headline


def test_a_large_digest_is_bounded_and_quick() -> None:
    began = time.monotonic()
    made = bodies(message(*[EDIT] * 1_000, kind=DIGEST))
    assert time.monotonic() - began < 5
    assert all(len(body) < 400_000 for body in made.values())
    shape = view.view(message(*[EDIT] * 1_000, kind=DIGEST), FORMS, BASE)
    assert [each["diff"] is None for each in shape["changes"]].index(True) == view.IN_FULL
    assert len(json.dumps(shape)) < 3_000_000


def test_differences_are_made_in_the_forms_that_are_wanted() -> None:
    (change,) = view.view(message(EDIT), [Form.MARKDOWN], BASE)["changes"]
    assert change["diff"] == {"text": None, "html": None, "markdown": "It was ~~1.5~~ **15** % in May."}


def test_a_long_difference_leaves_less_room_for_those_that_follow() -> None:
    long = EDIT._replace(diff=compare(Content("T", ""), Content("T", f"<p>{'Word. ' * 8_000}</p>")))
    shape = view.view(message(*[long] * 20, kind=DIGEST), FORMS, BASE)
    for form, room in ((Form.PLAIN, view.TEXT_ROOM), (Form.HTML, view.HTML_ROOM)):
        made = [each["diff"][form.value] for each in shape["changes"]]
        assert made[-1] is None
        assert room / 2 < sum(len(text) for text in made if text) < room + 1_000


def fitted(what: Message, form: Form, room: Room, template: Template | None = None) -> tuple[Text, list[str]]:
    ((text,), reports) = with_renderer(
        lambda renderer: renderer.texts(template or Template(), what, (form,), room)
    )
    return text, [words for _, words in reports]


LONG = compare(Content("T", "<p>Old words.</p>"), Content("T", f"<p>{'New words here. ' * 3_000}</p>"))
AT_LENGTH = EDIT._replace(
    diff=LONG,
    headline="Edited: " + "标题 & <b> " * 60,
    reasons=tuple(f"wording: {number} {'_x_ ' * 200}" for number in range(60)),
    note="Note. " * 400,
)
OTHERS = ADDED._replace(began="It *began* <so>. " * 200, headline="New: A story", kind=Kind.ADDED)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("most", [500, 1_000, 2_000, 4_096])
def test_words_fit_where_little_is_taken_and_links_are_kept(form: Form, most: int) -> None:
    room = Room(most, most // 3, joined=True)
    for fact in (EDIT, AT_LENGTH, OTHERS, REMOVED, FAILING._replace(note="No. " * 900)):
        text, reports = fitted(message(fact), form, room)
        assert not reports
        assert units(text.title) + JOINT + units(text.body) <= most + 1
        assert fact.page_url in text.body
        if fact.article_url and most >= 1_000:
            assert "gazette.example/fire_" in text.body
    if most >= 2_000:
        text, _ = fitted(message(AT_LENGTH), form, room)
        assert units(text.body) > most // 4, "what there is room for is used"


@pytest.mark.parametrize("form", FORMS)
def test_a_digest_fits_with_as_many_changes_as_there_is_room_for(form: Form) -> None:
    what = message(*[AT_LENGTH] * 30, *[OTHERS] * 30, kind=DIGEST)
    text, _ = fitted(what, form, Room(4_096, 1_365, joined=True))
    assert units(text.body) <= 4_096
    assert f"{BASE}changes" in text.body
    assert 3 <= text.body.count("Edited: ") < 30
    assert text.title == "60 changes: 30 added, 30 edited"
    assert text.title not in text.body, "the service shows it"
    few, _ = fitted(message(EDIT, REMOVED, kind=DIGEST), form, Room(4_096, 1_365, joined=True))
    assert "more" not in few.body


def test_a_title_is_told_once_and_without_styles() -> None:
    for form in FORMS:
        text, _ = fitted(message(EDIT), form, Room(4_096, 1_365, joined=True))
        assert text.title == EDIT.headline
        assert "Fire at the depot" not in text.body
        assert "style" not in text.body
    text, _ = fitted(message(EDIT), Form.PLAIN, Room(160, 53, joined=True))
    assert len(text.title) <= 53
    assert EDIT.page_url in text.body


def test_where_not_even_an_address_fits_there_is_the_title() -> None:
    for form in FORMS:
        text, _ = fitted(message(EDIT), form, Room(60, 20, joined=True))
        assert 0 < len(text.title) <= 20
        assert len(text.body) <= 60
        assert "<" not in text.body


def test_own_words_that_do_not_fit_give_way_to_the_default() -> None:
    room, own = Room(500, 100, joined=True), written(text="{{ 'w' * 600 }}", title="Mine")
    text, reports = fitted(message(EDIT), Form.PLAIN, room, own)
    assert text.title == "Mine"
    assert text.body.startswith("- number")
    (report,) = reports
    assert report == (
        "the template `text` failed: it makes more than the 464 characters that the service takes. The default is used"
        " instead; correct it in the configuration"
    )
    assert (
        fitted(message(EDIT), Form.PLAIN, room, written(text="{{ 'w' * 400 }}"))[0].body == "w" * 400 + "\n"
    )


def test_mails_are_no_longer_than_programs_show() -> None:
    """Gmail clips what is beyond 102 kB."""
    many = [EDIT._replace(headline=f"Edited: {'A headline ' * 6}{number}") for number in range(500)]
    for what in (
        message(*many, kind=DIGEST),
        message(*[AT_LENGTH] * 500, kind=DIGEST),
        message(
            AT_LENGTH._replace(diff=compare(Content("T", ""), Content("T", f"<p>{'文 & <' * 90_000}</p>")))
        ),
    ):
        ((_, rich), _) = told(what, None, Form.PLAIN, Form.HTML)
        assert 20_000 < len(rich.body.encode()) <= 95_001
        assert f"{BASE}" in rich.body
        html.fromstring(rich.body)
    ((rich,), _) = told(message(*many, kind=DIGEST), None, Form.HTML)
    assert rich.body.count("A headline") > 300 * 6


def test_what_turns_letters_round_is_not_told() -> None:
    turned = compare(Content("T", "<p>It was 1.</p>"), Content("T", "<p>It \u202ewas\u2067 2\u2069.</p>"))
    for body in bodies(message(EDIT._replace(diff=turned))).values():
        assert not {"\u202e", "\u2067", "\u2069"} & set(body)
        assert "202e" not in body


def test_an_address_mentions_nobody() -> None:
    (text,), _ = told(message(EDIT._replace(article_url="https://x.example/@everyone")), None, Form.MARKDOWN)
    assert "[Article](https://x.example/%40everyone)" in text.body


def test_a_test_says_so() -> None:
    texts, _ = told(message(EDIT, kind=TEST))
    assert texts[0].title == "Test: Edited: Fire at the depot"
    assert all("This is a test of the channel desk" in text.body for text in texts)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(list(Kind)),
    st.text(max_size=60) | st.just(HOSTILE),
    st.text(alphabet=" a<>&\"'*_[]()`#-@!\n\\", max_size=60) | st.just(HOSTILE),
    st.booleans(),
)
def test_what_strangers_wrote_acts_nowhere(kind: Kind, one: str, two: str, several: bool) -> None:
    fact = EDIT._replace(
        kind=kind,
        headline=f"Edited: {one}",
        title=one,
        reasons=(two, one),
        began=two,
        note=one,
        article_url="javascript:alert(1)" if several else 'https://x.example/")<b>',
        source=two,
    )
    shape = view.view(message(*[fact] * (2 if several else 1)), FORMS, BASE)
    seen = context(json.loads(json.dumps(shape)))
    tree = html.fromstring(by_default("html", seen))
    tags = {node.tag for node in tree.iter()}
    assert tags <= {"div", "p", "a", "h1", "ul", "li", "span", "del", "ins"}
    assert not any("javascript" in str(node.get("href")) for node in tree.iter())
    assert all(set(node.attrib) <= {"href", "style", "dir"} for node in tree.iter())
    brief = html.fromstring(f"<div>{by_default('html', seen, brief=True)}</div>")
    known = {"div", "p", "a", "ul", "li", "del", "ins", "em", "strong", "blockquote", "br"}
    assert {node.tag for node in brief.iter()} <= known
    assert all(set(node.attrib) <= {"href", "dir", "style"} for node in brief.iter())
    assert not any("javascript" in str(node.get("href")) for node in brief.iter())
    text = by_default("markdown", seen)
    active = html.fromstring(f"<div>{markdown(text)}</div>")
    assert {node.tag for node in active.iter()} <= {"div", "p", "a", "ul", "li", "em", "strong", "blockquote"}
    links = [str(node.get("href")) for node in active.iter("a")]
    assert all(link.startswith((BASE, "https://x.example/")) for link in links)
    for name in ("text", "markdown", "title"):
        assert not [
            char for char in by_default(name, seen) if not char.isprintable() and char in "\x1b\r\u202e"
        ]


def test_a_title_is_one_short_line() -> None:
    texts, _ = told(message(EDIT._replace(headline=f"Edited: {HOSTILE}{'x' * 5000}")))
    assert texts[0].title.startswith("Edited: <script>alert(1)</script> [x]")
    assert len(texts[0].title) <= 300
    assert not {"\r", "\n", "\x1b", "\u202e"} & set(texts[0].title)
    texts, reports = told(message(EDIT), written(title="{{ 'a' * 1000 }}\r\n{{ 'b\nc' }}"), Form.PLAIN)
    assert not reports
    assert len(texts[0].title) == 300
    assert told(message(EDIT), written(title=" "), Form.PLAIN)[0][0].title == EDIT.headline


def test_templates_of_the_configuration() -> None:
    template = written(
        title="[{{ channel }}] {{ change.title|cut(8) }}",
        text="{{ change.diff.text }} {{ change.at|when }} {{ data.n }} {{ change.kind }}",
        html="{{ change.diff.html }}<p>{{ change.title }} {{ '<b>' }}</p>",
        markdown="{{ change.diff.markdown }} [{{ '[x]'|md }}]({{ change.url|address }})",
    )
    (plain, rich, marked), reports = told(message(EDIT._replace(title="A & B and more")), template)
    assert not reports
    assert plain.title == "[desk] A & B a…"
    assert plain.body == "It was [-1.5-]{+15+} % in May. 14 Nov 2023, 22:13 UTC 1 edited\n"
    assert rich.body.startswith('<p dir="auto">It was <del')
    assert rich.body.endswith("<p>A &amp; B and more &lt;b&gt;</p>\n")
    assert "[\\[x\\]](https://gazette.example/fire_%28depot%29)" in marked.body


def test_a_template_that_fails_gives_way_to_the_default_and_says_so() -> None:
    template = written(title="Own: {{ headline }}", text="\n{{ change.titel }}")
    (plain, rich), reports = told(message(EDIT), template, Form.PLAIN, Form.HTML)
    assert plain.title == rich.title == "Own: Edited: Fire at the depot"
    assert plain.body.startswith("- number 1.5 %")
    ((channel, words),) = reports
    assert channel == "desk"
    assert words == (
        "the template `text` failed: what stands before it has no attribute 'titel' (line 2). The default is used"
        " instead; correct it in the configuration"
    )


LOOP = "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}"


def test_a_template_that_loops_is_stopped_while_all_else_goes_on() -> None:
    async def work(renderer: Renderer) -> tuple[int, float, str, str]:
        ticks, done = 0, asyncio.Event()

        async def tick() -> None:
            nonlocal ticks
            while not done.is_set():
                await asyncio.sleep(0.05)
                ticks += 1

        ticking = asyncio.create_task(tick())
        (looped,) = await renderer.texts(written(text=LOOP), message(EDIT), [Form.PLAIN])
        done.set()
        await ticking
        began = time.monotonic()
        (again,) = await renderer.texts(written(text=LOOP), message(EDIT), [Form.PLAIN])
        took = time.monotonic() - began
        (other,) = await renderer.texts(written(text="{{ count }}"), message(EDIT), [Form.PLAIN])
        assert looped == again
        return ticks, took, looped.body, other.body

    (ticks, took, looped, other), reports = with_renderer(work)
    assert ticks > 15  # in two seconds
    assert took < 1  # it is left alone for a while
    assert looped.startswith("- number 1.5 %")
    assert other == "1\n"
    assert len(reports) == 2
    assert all("took longer than 2 s and was stopped" in words for _, words in reports)


def test_its_process_is_started_anew_when_it_dies() -> None:
    async def work(renderer: Renderer) -> list[str]:
        own = written(text="{{ count }}")
        said = []
        for _ in range(3):
            (text,) = await renderer.texts(own, message(EDIT), [Form.PLAIN])
            said.append(text.body)
            assert renderer.process is not None
            if len(said) == 1:
                os.kill(renderer.process.pid, signal.SIGTERM)  # which is the daemon's affair
                os.kill(renderer.process.pid, signal.SIGINT)
            if len(said) == 2:
                os.kill(renderer.process.pid, signal.SIGKILL)
                await renderer.process.wait()
        return said

    said, reports = with_renderer(work)
    assert said == ["1\n"] * 3
    assert not reports


def test_its_process_ends_with_the_renderer_and_with_a_cut_off_rendering() -> None:
    async def work(renderer: Renderer) -> list[int]:
        await renderer.texts(written(text="{{ count }}"), message(EDIT), [Form.PLAIN])
        assert renderer.process is not None
        first = renderer.process.pid
        task = asyncio.create_task(renderer.texts(written(text=LOOP), message(EDIT), [Form.PLAIN]))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        (text,) = await renderer.texts(written(text="{{ count }}"), message(EDIT), [Form.PLAIN])
        assert text.body == "1\n"
        return [first, renderer.process.pid]

    pids, reports = with_renderer(work)
    assert not reports
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_many_at_once() -> None:
    async def work(renderer: Renderer) -> list[str]:
        made = await asyncio.gather(
            *(renderer.texts(written(text=f"{number}"), message(EDIT), [Form.PLAIN]) for number in range(50))
        )
        return [text.body for (text,) in made]

    said, _ = with_renderer(work)
    assert said == [f"{number}\n" for number in range(50)]


def test_a_message_that_is_too_large_for_a_template(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "LONGEST_DATA", 100)
    (text,), reports = told(message(EDIT), written(text="{{ count }}"), Form.PLAIN)
    assert text.body.startswith("- number")
    assert "larger than" in reports[0][1]


EXAMPLES = re.findall(
    r"```jinja\n(.*?)```", (Path(__file__).parents[2] / "docs/notifications.md").read_text(), re.DOTALL
)


@pytest.mark.parametrize(
    ("number", "form"),
    [(0, Form.PLAIN), (1, Form.MARKDOWN), (2, Form.HTML)],
    ids=["text", "markdown", "html"],
)
def test_the_examples_of_the_manual_work(number: int, form: Form) -> None:
    several = message(EDIT, ADDED, REMOVED, FAILING, kind=DIGEST, more=2)
    for what in (several, message(FAILING), message(EDIT), message(kind=DIGEST)):
        (text,), reports = told(what, written(**{form.value: EXAMPLES[number]}), form)
        assert not reports
        assert all(fact.page_url in text.body or form is Form.MARKDOWN for fact in what.facts)


def test_the_manual_lists_what_templates_see() -> None:
    manual = (Path(__file__).parents[2] / "docs/notifications.md").read_text()
    shape = view.view(message(EDIT), FORMS, BASE)
    for name in (*shape, "change", *shape["changes"][0]):
        assert f"\n| `{name}` |" in manual, name
