"""How long earlier versions are kept: `keep`, as a frozen value."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from feedd.config.base import Settings
from feedd.config.values import DURATION, SIZE, Duration, Size, duration, size

MOST_VERSIONS = 1_000_000
EXAMPLE = '{ age = "365d", versions = 20, size = "500MB" }'


class Bounds(Settings):
    """What breaks any of these goes; None sets no bound."""

    age: Duration | None = None  # milliseconds, since a version was first seen
    versions: int | None = Field(
        default=None, ge=1, le=MOST_VERSIONS
    )  # of one entry in the source, the newest among them
    size: Size | None = None  # bytes of all versions of the source, with the documents that they came from

    @property
    def is_bounded(self) -> bool:
        return (self.age, self.versions, self.size) != (None, None, None)


FOREVER = Bounds()


def bounds(value: object) -> Any:
    """The table that `value` is short for. Raises ValueError."""
    match value:
        case "forever" | Bounds():
            return FOREVER if value == "forever" else value
        case dict() if value:
            return value
        case str() if DURATION.fullmatch(value):
            return Bounds.model_construct(age=duration(value))
        case str() if SIZE.fullmatch(value):
            return Bounds.model_construct(size=size(value))
        case int() if not isinstance(value, bool) and 1 <= value <= MOST_VERSIONS:
            return Bounds.model_construct(versions=value)
        case _:
            raise ValueError(
                f'{value!r} does not say what to keep; write "forever", an age such as "365d", a number of versions'
                f' such as 20, a size such as "500MB", or some of these: {EXAMPLE}'
            )


Keep = Annotated[Bounds, BeforeValidator(bounds)]
