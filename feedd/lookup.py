"""Finding an entry by what a person has at hand, and saying what became of an address."""

import re

from feedd import shapes
from feedd.config.settings import Config
from feedd.decide import Hold
from feedd.errors import UsageError
from feedd.normalise.article import uid_of
from feedd.normalise.url import BadUrl, canonical, shown
from feedd.publish.times import rfc3339
from feedd.store.proposals import in_words
from feedd.store.reader import Entry, Reader

UID = re.compile(r"(?:urn:uuid:)?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})")
NUMBER = re.compile("[0-9]{1,18}")  # what SQLite can hold


def find_entry(reader: Reader, config: Config, wanted: str) -> Entry:
    """The entry with this number, uid, or URL in any spelling. Raises UsageError."""
    entry_id = None
    if NUMBER.fullmatch(wanted):
        entry_id = reader.entry_id(number=int(wanted))
    elif uid := UID.fullmatch(wanted):
        entry_id = reader.entry_id(uid=uid[1].lower())
    else:
        entry_id = by_url(reader, wanted)
    priorities = {source.name: source.priority for source in config.sources}
    found = [] if entry_id is None else reader.entries([entry_id], priorities)
    if not found:
        raise UsageError(f"there is no entry '{shown(wanted)}'; name its number, its uid, or its URL")
    return found[0]


def by_url(reader: Reader, url: str) -> int | None:
    """The entry at this address, under either reading of its scheme."""
    try:
        spellings = (canonical(url), canonical(url, ignore_scheme=True))
    except BadUrl:
        return None
    found = (reader.entry_id(uid=uid_of(spelling)) for spelling in spellings)
    known = next((entry_id for entry_id in found if entry_id is not None), None)
    return (
        reader.entry_at(spellings) if known is None else known
    )  # a watched page is known by its source's name


def held_in_words(why: str) -> str:
    if why == Hold.LIVE:
        return "what was added since is told together with what comes within half an hour (a live blog)"
    return "its versions take turns: each is kept, and nobody is told until one of them stays (a flip-flop)"


def explain(reader: Reader, config: Config, url: str) -> shapes.Shape:
    """What feedd made of an address, and why."""
    try:
        address = canonical(url)
    except BadUrl as error:
        return shapes.explanation(url, None, known=False, decision="left out", because=str(error))
    entry_id = by_url(reader, url)
    if entry_id is None and (refused := reader.refusals(address)):
        because = "; ".join(f"{source}: {reason}" for source, reason in refused)
        return shapes.explanation(url, address, known=False, decision="left out", because=because)
    if entry_id is None:
        because = "no source holds an entry with this address; a file that should hold it may be among those rejected"
        return shapes.explanation(url, address, known=False, decision="unknown", because=because)
    entry = find_entry(reader, config, str(entry_id))
    last = reader.last_change(entry_id)
    decision, at_ms = last or ("added", entry.changed_ms)
    places = ", ".join(
        f"{source}: {shapes.printable(path)}" if path else source
        for source, path in reader.locations(entry_id)
    )
    reasons = [f"{decision} {rfc3339(at_ms)}"]
    revisions = reader.history(entry_id)
    newest = next(
        (each for each in reversed(revisions) if each.newest and each.source == entry.source), revisions[-1]
    )
    reasons += [held_in_words(why) for why in reader.held_back(entry_id)]
    if newest.reasons:
        reasons.append(f"what differs: {', '.join(newest.reasons)}")
    reasons.append(
        f"{len(revisions)} version{'' if len(revisions) == 1 else 's'}, the newest seen {rfc3339(newest.seen_ms)}"
    )
    reasons += [in_words(each) for each in reader.proposals() if each.entry_id == entry_id]
    reasons.append(f"held by {places}" if places else "no source holds it any more")
    return shapes.explanation(url, entry.url, known=True, decision=decision, because="; ".join(reasons))
