"""What a request for a page says, read strictly: what is asked amiss is answered in words."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from starlette.exceptions import HTTPException

from feedd.errors import NoLongerKept, Stopped, TooMany, UsageError
from feedd.lookup import NUMBER

RETRY_AFTER_S = 30
Query = Mapping[str, str]


def number_of(text: str, name: str) -> int:
    """A whole number from 1 on. Raises HTTPException."""
    if not NUMBER.fullmatch(text) or int(text) < 1:
        raise HTTPException(400, f"{name} is a whole number from 1 on.")
    return int(text)


def chosen(query: Query, name: str, choices: Sequence[str], otherwise: str) -> str:
    """Raises HTTPException."""
    value = query.get(name, otherwise)
    if value not in choices:
        raise HTTPException(400, f"{name} is one of: {', '.join(filter(None, choices))}.")
    return value


@contextmanager
def in_words(status: int = 400) -> Iterator[None]:
    """What was asked amiss, as an answer: of that status, or 410 for what is no longer kept; 503 for what can be later."""
    try:
        yield
    except (Stopped, TooMany) as error:
        raise HTTPException(503, f"{error}.", {"Retry-After": str(RETRY_AFTER_S)}) from error
    except UsageError as error:
        said = str(error)
        raise HTTPException(
            410 if isinstance(error, NoLongerKept) else status, f"{said[0].upper()}{said[1:]}."
        ) from error
