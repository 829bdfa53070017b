"""Broken XML → XML that a parser takes, in one pass over its tags.

End tags that were forgotten are put in, those that close nothing are left out; attributes get their quotes;
prefixes that were never declared are; a `<` that begins no tag becomes text.
"""

import re
from collections import Counter

MAX_DEPTH = 120  # elements below are left out, their text stays
TOKEN = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|<\?[^<>]*+>?|<!(?:DOCTYPE|ENTITY)[^<>]*+>?"
    r"|<(?P<close>/?)(?P<name>[A-Za-z_][\w.\-]*+(?::[A-Za-z_][\w.\-]*+)?)"
    r"""(?P<attributes>(?:\s(?:[^<>"']++|"[^"<]*+"|'[^'<]*+'){0,2000}|\s[^<>]*+)?)(?P<empty>/?)>"""
    r"|<|\]\]>",
    re.DOTALL | re.IGNORECASE,
)
ATTRIBUTE = re.compile(
    r"""([A-Za-z_][\w.\-]*+(?::[A-Za-z_][\w.\-]*+)?)\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s"'<>]++)"""
)
BROKEN_START = re.compile(r"<([A-Za-z_][\w.\-]*+(?::[A-Za-z_][\w.\-]*+)?)[^<>]*+>?")
VOID = frozenset({"area", "br", "col", "embed", "hr", "img", "input", "param", "wbr"})  # of HTML; not `link`
ITEMS = frozenset({"item", "entry"})
CONTAINERS = frozenset({"rss", "rdf", "feed", "channel", "items"})
BUILT_IN = frozenset({"xml", "xmlns"})


class Mender:
    """The elements that are open while tags go by."""

    def __init__(self) -> None:
        self.open: list[str] = []
        self.count: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()  # start tags that were too deep, whose end tags go too
        self.prefixes: set[str] = set()

    def mend(self, token: re.Match[str]) -> str:
        name = token["name"]
        if name is None:
            return mended_other(token[0])
        local = name.rpartition(":")[2].lower()
        if token["close"]:
            return "" if local in VOID else self.close(name)
        empty = token["empty"] or local in VOID or token["attributes"].rstrip().endswith("/")
        before = self.close_to_container() if local in ITEMS else ""
        if len(self.open) >= MAX_DEPTH and not empty:
            self.left_out[name] += 1
            return before
        self.note(name)
        start = f"<{name}{self.attributes(token['attributes'])}"
        if empty:
            return f"{before}{start}/>"
        self.open.append(name)
        self.count[name] += 1
        return f"{before}{start}>"

    def attributes(self, written: str) -> str:
        """Each once, and quoted."""
        found: dict[str, str] = {}
        for name, value in ATTRIBUTE.findall(written) if "=" in written else ():
            self.note(name)
            found.setdefault(name, value if value[0] in "\"'" else f'"{value}"')
        return "".join(
            f" {name}={value.replace('<', '&lt;').replace('>', '&gt;')}" for name, value in found.items()
        )

    def note(self, name: str) -> None:
        prefix, colon, _ = name.partition(":")
        if colon:
            self.prefixes.add(prefix)

    def close(self, name: str) -> str:
        """End tags up to the innermost open `name`."""
        if self.left_out[name]:
            self.left_out[name] -= 1
            return ""
        if not self.count[name]:
            return ""
        ends = []
        while True:
            last = self.open.pop()
            self.count[last] -= 1
            ends.append(f"</{last}>")
            if last == name:
                return "".join(ends)

    def close_to_container(self) -> str:
        """End tags of all that is no home for an item: whatever was not closed before it."""
        ends = []
        while self.open and self.open[-1].rpartition(":")[2].lower() not in CONTAINERS:
            last = self.open.pop()
            self.count[last] -= 1
            ends.append(f"</{last}>")
        return "".join(ends)

    def end(self) -> str:
        return "".join(f"</{name}>" for name in reversed(self.open))


def mended(text: str) -> str:
    """`text` begins with the start tag of its root."""
    mender = Mender()
    first = TOKEN.match(text)
    if first is None or first["name"] is None:
        text = BROKEN_START.sub(r"<\1>", text, count=1)
    body = TOKEN.sub(mender.mend, text) + mender.end()
    root_end = body.find(">")
    head = body[:root_end].removesuffix("/")
    declarations = "".join(
        f' xmlns:{prefix}="urn:undeclared:{prefix}"'
        for prefix in sorted(mender.prefixes - BUILT_IN)
        if f"xmlns:{prefix}=" not in head
    )
    return f"{head}{declarations}{body[len(head) :]}"


def mended_other(markup: str) -> str:
    """CDATA, comments and their like are ended; declarations dropped."""
    if markup == "<":
        return "&lt;"
    if markup == "]]>":
        return "]]&gt;"
    if markup.startswith("<![CDATA["):
        return markup if markup.endswith("]]>") else f"{markup}]]>"
    return ""
