"""What feedd says in English, said in other languages."""

import ast
import re
import socket
import time
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import feedd
from feedd import looks
from feedd.answers import in_words
from feedd.fetch.freshness import next_look
from feedd.fetch.values import Answer
from feedd.fetch.words import explain_system
from feedd.notify.answering import outcome
from feedd.notify.values import Failed
from feedd.publish.health import WORDS, told
from feedd.schedule import Due, Timing
from feedd.store import pausing
from feedd.store.channels import DISABLED
from feedd.store.incidents import Incident
from feedd.web.pages import HEADINGS
from feedd.web.sentences import LONGEST, SENTENCES, in_minutes, recognised, said
from feedd.web.translation import CATALOGUES, translated
from feedd.websub.incoming import rarer

PACKAGE = Path(feedd.__file__).parent
LANGUAGES = sorted(CATALOGUES)
HOUR_MS = 3_600_000
MOMENT = "2026-11-29T09:11:18Z"


def texts_in(path: str, functions: set[str], at: int) -> Iterator[str]:
    """What stands in the code as that argument of these functions, each value in it as 7."""
    for node in ast.walk(ast.parse((PACKAGE / path).read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions:
            yield from filter(None, map(spelled, alternatives(node.args[at : at + 1])))


def alternatives(nodes: list[ast.expr]) -> Iterator[ast.expr]:
    for node in nodes:
        yield from alternatives([node.body, node.orelse]) if isinstance(node, ast.IfExp) else [node]


def spelled(node: ast.expr) -> str | None:
    """None: not said there in full."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case (
            ast.JoinedStr(values=[ast.Constant(), *_] as parts)
            | ast.JoinedStr(values=[ast.FormattedValue(), ast.Constant(), *_] as parts)
        ):
            return "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in parts)
        case _:
            return None


RAISED = {"FetchError", "TimedOut", "TooLarge", "TooManyRedirects", "AddressRefused"}
OWN = [
    *(str(path.relative_to(PACKAGE)) for path in sorted((PACKAGE / "sources").glob("*.py"))),
    *("collect.py", "folder.py", "visits.py", "window.py", "workers.py", "store/writer.py"),
]
SYSTEM = [
    socket.gaierror(socket.EAI_NONAME, "unknown"),
    socket.gaierror(socket.EAI_AGAIN, "later"),
    ConnectionRefusedError(),
    ConnectionResetError(),
    TimeoutError(),
    OSError(113, "No route to host"),
]
REASONS = [
    re.sub("^7 ", "number ", text)  # or a date
    for name in ("wordings", "edits", "significance")
    for text in (
        *texts_in(f"changes/{name}.py", {"substantial"}, 1),
        *texts_in(f"changes/{name}.py", {"Finding"}, 2),
    )
]
ERRORS = [
    text
    for path in sorted((PACKAGE / "web").glob("*.py"))
    for text in texts_in(f"web/{path.name}", {"HTTPException", "Denied"}, 1)
    if not re.match("V?7", text)  # what is said there is made elsewhere
]
ERRORS += [
    "Versions 1 and 2 are too long to be compared here; the command `feedd diff 1 1 2` compares them.",
    "There are 7 streams of events already; try again later.",
    "You have too many streams; try again later.",
    *("Not Found", "Method Not Allowed"),  # Starlette's
]
ASKED_AMISS = [
    text
    for path in ("search/query.py", "search/finder.py", "comparison.py", "operations.py")
    for text in texts_in(path, {"UsageError", "NoLongerKept", "TooLong", "TooMany"}, 0)
    if "so that there is nothing to compare" not in text  # of a command
]
ANSWERED = [in_words("https://example.org/feed", status) for status in (304, 401, 404, 410, 429, 503, 599)]
NOT_TAKEN = [
    made.why
    for status in (410, 500)
    for body in (b"", b"no")
    if isinstance(made := outcome(Answer("https://example.org/hook", status, {}, body), 0), Failed)
]
FAILED = [
    *ANSWERED,
    *NOT_TAKEN,
    DISABLED,
    *(
        text
        for path in sorted((PACKAGE / "fetch").glob("*.py"))
        for text in texts_in(f"fetch/{path.name}", RAISED, 0)
        if not re.match("7; ", text)  # begins with what is said elsewhere
    ),
    *(explain_system(error, "example.org", "example.org:443") for error in SYSTEM),
    *(
        text
        for path in OWN
        for text in texts_in(path, {"SourceError", "SelectorRot", "NotAFeed", "RemovalsHeld", *RAISED}, 0)
        if not re.match("7 is no feed: 7", text)  # ends with what is said elsewhere
    ),
    *(
        f"https://example.org/feed is no feed: {why.replace('7', 'x')}"
        for name in ("parse", "tree", "charset", "jsonfeed")
        for why in texts_in(f"sources/feed/{name}.py", {"NotAFeed"}, 0)
    ),
]
TIMINGS = [
    Timing(30 * 60_000),
    Timing(90_000, auto=True),
    Timing(86_400_000, cron="0 * * * *", timezone="UTC"),
    Timing(86_400_000, cron="0 0 30 2 *", timezone="UTC"),
]
DUE = [
    *(timing.due_after(0) for timing in TIMINGS),
    *(looks.due_after_failures(failures, 60_000, 0) for failures in (1, 2, 1000)),
    next_look(Due(0, "every 30m"), 0, fresh_until_ms=HOUR_MS),
    next_look(Due(0, "every 30m"), 0, ttl_s=7200),
    next_look(Due(0, "every 30m"), 0, update_period_s=90 * 86_400),
    next_look(Due(HOUR_MS // 2, "auto: every 30m"), 0, skip_hours=[0]),
    rarer(Due(0, "every 30m"), Timing(60_000), 0, 86_400_000),
    Due(0, pausing.BECAUSE),
]


def is_known(text: str, language: str) -> bool:
    """Whether it is said; a whole sentence that ends what another begins is found in that."""
    found = recognised(text, language)
    return found is not None and found != text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_of_the_code_are_said_in_every_language(language: str) -> None:
    assert (len(REASONS), len(ERRORS), len(ASKED_AMISS)) >= (20, 20, 15), "the code is not found any more"
    assert len(FAILED) >= 35, "the code is not found any more"
    for texts in (REASONS, ERRORS, ASKED_AMISS, FAILED, [each.because for each in DUE]):
        assert not [text for text in texts if text and not is_known(text, language)]
    assert not [text for text in HEADINGS.values() if translated(text, language) == text]


@pytest.mark.parametrize("kind", sorted(WORDS))
def test_troubles_are_said_with_what_to_do(kind: str) -> None:
    words = WORDS[kind]
    for text in words:
        assert "news" in said(text.replace("{}", "news"), "zh")
        assert is_known(text.replace("{}", "news"), "zh")
    lines = re.findall("<p>(.*?)</p>", told(Incident(1, "news", kind, 0, 0, None, "x"), words.open))
    assert is_known(in_minutes(lines[1]), "zh"), lines


def test_a_sentence_keeps_its_values() -> None:
    assert said("failed 3 times in a row", "zh") == "连续失败 3 次"
    assert (
        said("auto: every 30m; the feed skips the hours before", "zh")
        == "自动：每 30 分钟；订阅源跳过此前的时段"
    )
    assert said("Version 3 is no longer kept.", "zh") == "第 3 版已不再保存。"
    assert said("number title → {0} link", "zh") == "数字 title → {0} link"
    assert said("name removed: every 30m", "zh") == "名称 removed: every 30m", (
        "what others say is not touched"
    )
    assert said("wording added: He closed the connection", "zh") == "新增：He closed the connection"
    assert said("Paused by a since b since {x}", "zh") == "由 a 暂停，自 b since {x} 起"


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "failed x times in a row",
        "failed  times in a row",
        "every now and then",
        "number ",
        "x" * 5000,
    ]
    + ["failed 3 times in a row\n", " failed once", "The server said: failed once!"],
)
def test_what_is_none_of_feedds_stays(text: str) -> None:
    assert said(text, "zh") == text
    assert recognised(text, "zh") is None
    assert said(text, "en") == text


def test_english_is_said_as_it_is() -> None:
    assert said("failed once", "en") == "failed once"


@given(st.text(max_size=200), st.sampled_from(SENTENCES["zh"]))
def test_any_text_is_said_or_stays(value: str, sentence: object) -> None:
    for text in (
        value,
        f"failed {value} times in a row",
        f"{value} since {value}.",
        f"{value}; {value} is the most",
    ):
        assert isinstance(said(text, "zh"), str)


def test_saying_takes_no_long_time() -> None:
    hostile = [
        mark * (LONGEST // len(mark))
        for mark in ("; ", ".", "every ", ": '", " since ", "; the feed skips the hours before")
    ]
    begun = time.perf_counter()
    for text in hostile * 5:
        said(text, "zh")
    assert time.perf_counter() - begun < 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_sentence_has_a_place_for_each_value(language: str) -> None:
    texts = tomllib.loads((files("feedd.web") / "sentences" / f"{language}.toml").read_text("utf-8"))
    assert len(texts) == len(SENTENCES[language])
    for english, text in texts.items():
        places = len(re.findall(r"\{(?:n|where|said)?\}", english))
        named = {int(number) for number in re.findall(r"\{([0-9]+)\}", text)}
        assert text.strip() == text
        assert named <= set(range(places)), english
        assert (
            len(named) == places
            or english.count("channel {}")
            or "[sources.{}]" in english
            or "UTC" in english
        ), english


def test_moments_are_spelled_as_on_pages() -> None:
    assert in_minutes(f"paused by desk since {MOMENT}") == "paused by desk since 2026-11-29 09:11"
    assert (
        in_minutes("at 2026-11-29T09:11:18.250Z, or 2026-11-29T09:11Z")
        == "at 2026-11-29 09:11, or 2026-11-29 09:11"
    )
    assert in_minutes("x2026-11-29T09:11:18Zx") == "x2026-11-29T09:11:18Zx"
