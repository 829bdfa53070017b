"""What `changes.markup` makes of a comparison, made fit for a page: each change can be jumped to, words are translated.

That HTML is known to the letter: no tags but its own, and text that holds no `<`. What feeds show of a change stays as it
is made there.
"""

import re
from typing import NamedTuple

from feedd.changes.layout import NOTHING
from feedd.web.translation import counted, translated

MARKED = r"(?:<(?:ins|del)>[^<]*</(?:ins|del)>|(?<!<p>)(?<!<td colspan=\"2\">)<em>[^<]*</em>)"
RUN = re.compile(rf"{MARKED}(?:\s*+{MARKED})*")
GOES_ON = '</p>\n<p dir="auto">'  # between two runs: one change that reaches over paragraphs
ROW = re.compile(r'<tr>(?=<td dir="auto">(?:[^<]|<(?!/tr>))*?<(?:ins|del|em)>)')
FOLD = re.compile(r"<em>… ([0-9,]+) unchanged sentences? …</em>")
BESIDE = re.compile(r'<li dir="auto">(Title|Lead picture|Authors|Links taken out|Links put in): ')
MOVED = re.compile(r"<em>\[(moved (?:here from )?(?:above|below))(?=[\]:])")


class Anchored(NamedTuple):
    html: str
    changes: int  # the ids `change-1` and so on


def anchored(html: str, first: int = 1) -> Anchored:
    """Each change, of neighbouring marks, with an id of its own."""
    taken, at, number = list[str](), 0, first - 1
    for run in RUN.finditer(html):
        between = html[at : run.start()]
        taken.append(between)
        if at and between == GOES_ON:
            taken.append(run[0])
        else:
            number += 1
            taken.append(f'<span data-change id="change-{number}">{run[0]}</span>')
        at = run.end()
    return Anchored("".join((*taken, html[at:])), number)


def anchored_rows(html: str) -> Anchored:
    """The same of a comparison side by side, where a row is a paragraph and can be jumped to as a whole."""
    top, table, rows = html.partition("<table>")
    head = anchored(top)
    start, *further = ROW.split(rows)
    marked = (
        f'<tr data-change id="change-{number}">{row}' for number, row in enumerate(further, head.changes + 1)
    )
    return Anchored("".join((head.html, table, start, *marked)), head.changes + len(further))


def worded(html: str, language: str) -> str:
    """With our own words in that language."""
    html = FOLD.sub(lambda fold: f"<em>{folded(fold[1], language)}</em>", html)
    html = BESIDE.sub(lambda beside: f'<li dir="auto">{translated(beside[1], language)}: ', html)
    html = MOVED.sub(lambda moved: f"<em>[{translated(moved[1], language)}", html)
    return html.replace(f"<em>{NOTHING}</em>", f"<em>{translated(NOTHING, language)}</em>")


def folded(number: str, language: str) -> str:
    one, many = "… %(num)s unchanged sentence …", "… %(num)s unchanged sentences …"
    return counted(one, many, 1 if number == "1" else 2, language) % {"num": number}
