"""Addresses as errors and logs may show them. What reads documents in a worker needs no more of `fetch` than this."""

import re

USERINFO = re.compile(r"//.*@", re.DOTALL)  # greedy: a password may hold any sign
SHOWN = 200  # characters of an address that an error shows


def shown(url: str) -> str:
    """An address as errors and logs may show it: without user, password and query."""
    bare = USERINFO.sub("//", url).partition("#")[0]
    path, question, _ = bare.partition("?")
    text = path + ("?…" if question else "")
    if len(text) > SHOWN:
        text = text[:SHOWN] + "…"
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
