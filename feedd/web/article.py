"""An article as a page shows it: in its box, and with nothing that is loaded from elsewhere unless it is asked for.

The HTML is taken as `normalise.html.clean` returns it: elements are closed, attributes quoted and escaped, so that a tag
can be told by a regular expression. Only tags are rewritten, and what takes their place is made here of values that are
escaped already: what comes out is as safe as what went in.
"""

import re
from typing import NamedTuple

from feedd.web.translation import translated

ATTRIBUTES = r'(?:\s[a-z]++="[^"]*+")*\s*+/?>'
TAG = re.compile(rf"<(?P<close>/?)(?P<name>[a-z][a-z0-9]*+)(?P<said>{ATTRIBUTES})")
ATTRIBUTE = re.compile(r'\s([a-z]+)="([^"]*)"')
# how many is bounded, and with it the memory that they take
BLANK = rf"(?:\s++|&nbsp;|</?(?:b|br|em|i|small|span|strong){ATTRIBUTES}){{0,100}}"
EMPTY_LINK = re.compile(rf"<a{ATTRIBUTES}{BLANK}</a>")
EMPTY_HEADING = re.compile(rf"<(?P<name>h[1-6]|summary){ATTRIBUTES}{BLANK}</(?P=name)>")
EMPTY_HEAD_CELL = re.compile(rf"<th(?P<said>{ATTRIBUTES})(?P<inside>{BLANK})</th>")
PICTURE = re.compile(r"<img(?=[\s/>])")
VOID = frozenset({"br", "col", "hr", "img", "wbr"})  # elements without an end
LISTS = {
    "ul": ("li",),
    "ol": ("li",),
    "dl": ("dt", "dd", "div"),
}  # and what they may hold (HTML sections 4.4.5 to 4.4.9)
ITEMS = {"ul": "li", "ol": "li", "dl": "dd"}
LINK_REL = ' rel="noreferrer nofollow ugc"'
FIRST_HEADING, LAST_HEADING = 2, 6  # the page itself has the first level
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8}+){0,100}")  # a tag of RFC 5646, or nearly
RIGHT_TO_LEFT = frozenset(
    "ar arc ckb dv fa he iw ji khw ks lrc mzn nqo pnb ps sd sdh skr syr ug ur yi".split()
)
RIGHT_TO_LEFT_SCRIPTS = frozenset({"adlm", "arab", "hebr", "mand", "nkoo", "rohg", "samr", "syrc", "thaa"})


class Written(NamedTuple):
    """How a text is written: values of `lang` and `dir`."""

    lang: str  # "": nobody says
    dir: str  # rtl, or auto: as its first letters are


def written_in(*languages: str | None) -> Written:
    """By the first that is a language tag."""
    for each in languages:
        if each and LANGUAGE.fullmatch(each):
            return Written(each.replace("_", "-"), direction(each))
    return Written("", "auto")


def direction(language: str) -> str:
    base, *further = re.split("[-_]", language.lower())
    scripts = [part for part in further if len(part) == 4 and part.isalpha()]
    is_right_to_left = scripts[0] in RIGHT_TO_LEFT_SCRIPTS if scripts else base in RIGHT_TO_LEFT
    return "rtl" if is_right_to_left else "auto"


def pictures_in(html: str) -> int:
    return sum(1 for _ in PICTURE.finditer(html))


def boxed(html: str, language: str, *, pictures: bool) -> str:
    """The HTML that a page shows. `language`: of what stands in for pictures and players."""
    for pattern in (EMPTY_LINK, EMPTY_HEADING):
        html = pattern.sub("", html)
    html = EMPTY_HEAD_CELL.sub(r"<td\g<said>\g<inside></td>", html)
    return TAG.sub(Rewriting(language, pictures=pictures), html)


class Rewriting:
    """One pass over the tags of an article, in their order."""

    def __init__(self, language: str, *, pictures: bool) -> None:
        self.language = language
        self.pictures = pictures
        self.open: list[tuple[str, str]] = []  # elements: name, and what ends them
        self.levels: list[int] = []  # of the headings that the text stands below

    def __call__(self, tag: re.Match[str]) -> str:
        if tag["close"]:
            return self.open.pop()[1] if self.open else ""
        name, said = tag["name"], dict(ATTRIBUTE.findall(tag["said"]))
        around = ITEMS.get(self.within(), "")
        stands = not around or name in LISTS[self.within()]
        if name in VOID and name != "img":
            return tag[0] if stands else ""
        start, end = self.written(name, said)
        if not stands:  # what a list may not hold is an item of it
            start, end = f"<{around}>{start}", f"{end}</{around}>"
        if name in VOID:
            return start + end
        self.open.append((name, end))
        return start

    def within(self, up: int = 1) -> str:
        return self.open[-up][0] if len(self.open) >= up else ""

    def holds(self, name: str) -> bool:
        return any(name == each for each, _ in self.open)

    def written(self, name: str, said: dict[str, str]) -> tuple[str, str]:
        """The start and the end of an element."""
        match name:
            case "img":
                return self.picture(said), ""
            case "video" | "audio":
                return self.player(name, said), ""
            case "a":
                return element("a", said, LINK_REL if "href" in said else "")
            case "h1" | "h2" | "h3" | "h4" | "h5" | "h6":
                return element(f"h{self.level(int(name[1]))}", said)
            case "table" if not self.holds("table"):
                start, end = element(name, said)
                label = translated("Table", self.language)
                return (
                    f'<div class="scroll" role="group" tabindex="0" aria-label="{label}">{start}',
                    f"{end}</div>",
                )
            case "main":
                return element("div", said)
            case "li" if self.within() not in {"ul", "ol"}:
                return element("div", said)
            case "dt" | "dd" if "dl" not in {self.within(), self.within(2) if self.within() == "div" else ""}:
                return element("div", said)
            case _:
                return element(name, said)

    def picture(self, said: dict[str, str]) -> str:
        word, alt = translated("Picture", self.language), said.get("alt", "").strip()
        if not self.pictures or "src" not in said:
            return f'<span class="picture"><b>{word}</b>{" " + alt if alt else ""}</span>'
        shown = {**said, "alt": alt or (word if self.holds("a") else "")}
        return element("img", shown, ' loading="lazy" decoding="async" referrerpolicy="no-referrer"')[0]

    def player(self, name: str, said: dict[str, str]) -> str:
        """A link to what would be played."""
        word = translated("Video" if name == "video" else "Sound", self.language)
        if "src" not in said or self.holds("a"):
            return f'<span class="picture"><b>{word}</b></span> '
        return f'<a class="picture" href="{said["src"]}"{LINK_REL}><b>▶ {word}</b></a> '

    def level(self, level: int) -> int:
        """Below the page's own heading, and without a gap: who hears the page goes from heading to heading."""
        while self.levels and self.levels[-1] >= level:
            self.levels.pop()
        self.levels.append(level)
        return min(FIRST_HEADING + len(self.levels) - 1, LAST_HEADING)


def element(name: str, said: dict[str, str], more: str = "") -> tuple[str, str]:
    if not LANGUAGE.fullmatch(said.get("lang", "en")):
        said = {key: value for key, value in said.items() if key != "lang"}
    attributes = "".join(f' {key}="{value}"' for key, value in said.items())
    return f"<{name}{attributes}{more}>", f"</{name}>"
