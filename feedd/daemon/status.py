"""What feedd says of itself in one line: `systemctl status` shows it."""

from typing import NamedTuple

NAMED = 2  # sources; more are counted


class State(NamedTuple):
    sources: int
    looking: tuple[str, ...] = ()  # at these, just now
    failing: tuple[str, ...] = ()
    last: str | None = None  # what was found last
    mistakes: int = 0  # of the configuration's files, if they are not the configuration in force


def in_words(state: State) -> str:
    """Such as "3 sources; looking at blog; last: rfi: 2 added"."""
    said = [f"{state.sources:,} {'source' if state.sources == 1 else 'sources'}"]
    if state.mistakes:
        number = f"{state.mistakes} mistakes" if state.mistakes > 1 else "a mistake"
        said.insert(
            0, f"The configuration file has {number} (see feedd check): the one before stays in force"
        )
    if state.looking:
        said.append(f"looking at {some(state.looking)}")
    if state.failing:
        said.append(f"failing: {some(state.failing)}")
    if state.last:
        said.append(f"last: {state.last}")
    return "; ".join(said)


def some(names: tuple[str, ...]) -> str:
    more = len(names) - NAMED
    return ", ".join(sorted(names)[:NAMED]) + (f" and {more} more" if more > 0 else "")
