"""What is said of an entry besides its title and content, as one text: for hashes and for the store.

What is empty is left out, so that a field to come changes no hash.
"""

import json
from typing import Any

from feedd.model import NO_DETAILS, Details, Enclosure

# made once: `json.dumps` makes one for each text
ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)
EMPTY = (None, "", ())


def spelled(details: Details) -> str:
    """JSON of all that is not empty; "" where everything is."""
    if details is NO_DETAILS:
        return ""
    said = given(details)
    if details.enclosures:
        said["enclosures"] = [given(each) for each in details.enclosures]
    return ENCODER.encode(said) if said else ""


def given(values: Details | Enclosure) -> dict[str, Any]:
    """What of it is not empty, by name."""
    pairs = zip(values._fields, values, strict=True)
    return {name: value for name, value in pairs if value not in EMPTY}


def read(text: str | None) -> Details:
    """The details that `spelled` wrote."""
    if not text:
        return NO_DETAILS
    said = json.loads(text)
    for name in ("authors", "categories"):
        if name in said:
            said[name] = tuple(said[name])
    said["enclosures"] = tuple(Enclosure(**each) for each in said.get("enclosures", ()))
    return Details(**said)
