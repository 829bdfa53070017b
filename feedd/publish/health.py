"""What goes wrong with sources, channels and feedd itself as items of a feed: one an incident, brought up to date when it ends."""

from html import escape
from typing import NamedTuple
from uuid import UUID, uuid5

from feedd.normalise.text import summary
from feedd.publish.item import Notice
from feedd.publish.times import rfc3339
from feedd.quoting import for_everybody
from feedd.store.incidents import Incident


class Words(NamedTuple):
    open: str  # title while it lasts; {} is the source
    closed: str
    advice: str


WORDS = {
    "failing": Words(
        "{} is failing",
        "{} has recovered",
        "What it brought before stays in its feeds. feedd tries again by itself, less and less often; to try now:"
        " feedd update {}",
    ),
    "selector": Words(
        "{}: a selector finds nothing any more",
        "{}: the selector finds something again",
        "The page was probably redesigned. See what others would find with: feedd test {} --entry …; then mend them in the"
        " configuration. What was found before stays in the feeds.",
    ),
    "paused": Words(
        "{} is paused: it is gone",
        "{} is back",
        "Take it out of the configuration, correct its address there, or look again with: feedd update {}",
    ),
    "silent": Words(
        "{} is silent",
        "{} brings something again",
        "Nothing failed, there is just nothing new. If that is usual, set expected_silence for {} in the"
        " configuration.",
    ),
    "restless": Words(
        "{}: a fragment changes at most looks",
        "{}: what to ignore was settled",
        "Each of these changes is told, since a counter can't be told from a rising death toll. If the fragment says"
        " nothing, add the line to the configuration of {}; lines of several fragments go into one list.",
    ),
    "undelivered": Words(
        "Nobody takes the messages of channel {}",
        "Channel {} delivers again",
        "What is to be told waits, and is tried again for three days. See what waits with: feedd deliveries --channel {};"
        " try the channel itself with: feedd notify test {}",
    ),
    "disabled": Words(
        "Channel {} is disabled: its receiver is gone",
        "Channel {} is used again",
        "Correct its address, or take it out of the configuration. To use it again, and send what was cancelled meanwhile:"
        " feedd deliveries retry --channel {} --status cancelled",
    ),
    "template": Words(
        "A template of channel {} fails",
        "The template of channel {} works again",
        "The message went out in feedd's own words. Mend the template in the configuration of {}; see what becomes of it"
        " with: feedd notify preview {} ENTRY",
    ),
    "configuration": Words(
        "The configuration has mistakes: {} goes on with the one before",
        "{} reads its configuration again",
        "Nothing was changed. `feedd check` names every mistake; {} reads the file again when it changes, and when it is"
        " told to: feedd reload",
    ),
    "publishing": Words(
        "{} can't publish its files",
        "{} publishes its files again",
        "What was published before stays as it is. {} tries again by itself; to try now: feedd publish",
    ),
    "mirror": Words(
        "{} can't keep an archive up to date",
        "{} keeps its archives up to date again",
        "Nothing is lost: what is missing there is in the database, and {} tries again by itself.",
    ),
    "cluster": Words(
        "{} can't use its cluster as it should",
        "{} uses its whole cluster again",
        "Nothing is lost: what workers don't do, {} does itself, and it returns to them by itself. See docs/scaling.md.",
    ),
    "moved": Words(
        "{} has moved",
        "{} has moved",
        "feedd asks at the new address from now on. Write it into the configuration of {} when you have the time.",
    ),
}


def notice_of(incident: Incident, born: UUID, base_url: str) -> Notice:
    """An incident as an item. Its id never changes; `updated` is when it began, changed its kind of trouble, or ended."""
    words = WORDS[incident.kind]
    title = (words.open if incident.closed_ms is None else words.closed).replace("{}", incident.subject)
    html = told(incident, words.advice.replace("{}", incident.subject))
    return Notice(
        uid=str(uuid5(born, f"incident:{incident.id}")),
        url=f"{base_url}feeds/{incident.subject if incident.of == 'source' else 'health'}",
        title=title,
        summary=summary(html),
        content_html=html,
        published_ms=incident.opened_ms,
        updated_ms=incident.changed_ms,
        source=incident.subject if incident.of == "source" else "health",
    )


def public(incident: Incident) -> str:
    """What happened, without what others said to it: a feed is for everybody."""
    return for_everybody(incident.detail) or ""


def told(incident: Incident, advice: str) -> str:
    began = rfc3339(incident.opened_ms)
    detail = public(incident)
    lines = [detail if detail.endswith((".", "!", "?")) else f"{detail}."]
    if incident.kind == "moved" or incident.closed_ms is None:
        lines += [f"Since {began}.", advice]
    else:
        lines.append(f"From {began} to {rfc3339(incident.closed_ms)}.")
    return "".join(f"<p>{escape(line, quote=False)}</p>" for line in lines)
