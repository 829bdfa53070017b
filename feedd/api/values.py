"""What requests say, checked: the kinds of parameters, as FastAPI reads and describes them. Pure."""

import base64
import re
import struct
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import Path, Query
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema

from feedd.model import Kind

NAME = r"^[a-z0-9][a-z0-9_-]{0,62}$"
ENTRY = r"^(?:[0-9]{1,18}|(?:urn:uuid:)?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$"
PLACE = r"^1[A-Za-z0-9_-]{21}[AQgw]$"  # two numbers of 64 bits: 22 characters, the last of which has 2 of its 6 bits
POINT = r"^1[A-Za-z0-9_-]{10}[AEIMQUYcgkosw048]$"  # one: 11 characters, the last of which has 4
WHOLE = re.compile(r"-?[0-9]{1,18}")  # what SQLite can hold
TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))", re.ASCII
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST = 100  # items of a page, and names in a request
LONGEST_WAIT_S = 60
LARGEST = 2**53 - 1  # number: above, JSON as many read it is no longer exact (RFC 8259, section 6)


def whole(value: object) -> object:
    """No spaces, underscores, signs or points in numbers: they mean something else to somebody."""
    if isinstance(value, str) and not WHOLE.fullmatch(value):
        raise ValueError("must be a whole number")
    return value


def integral(value: object) -> object:
    """JSON does not tell 1.0 from 1."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def milliseconds(value: object) -> int:
    """A time of RFC 3339 (section 5.6), in milliseconds. A leap second is the end of the second before."""
    found = TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        hint = "; in an address, + is written %2B" if isinstance(value, str) and " " in value else ""
        raise ValueError(f"must be a time, as 2026-11-29T08:00:00Z{hint}")
    day, minute, second, fraction, sign, hours, minutes = found.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{minute}:{min(second, '59')}+00:00")
    except ValueError:
        raise ValueError("there is no such time") from None
    ms = int(f"{fraction or ''}000"[:3]) if second <= "59" else 999
    if second > "60":
        raise ValueError("there is no such time")
    ahead_s = int(f"{sign}1") * (int(hours) * 3_600 + int(minutes) * 60) if sign else 0
    return (moment - EPOCH) // timedelta(milliseconds=1) + ms - ahead_s * 1_000


def cursor(*numbers: int) -> str:
    """Where the next page begins; opaque, so that it may become something else: the first character is its version."""
    packed = struct.pack(f">{len(numbers)}q", *numbers)
    return "1" + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def unpacked(text: str) -> tuple[int, ...]:
    """The numbers of a cursor, whose characters were checked: any of them stands for some place."""
    packed = base64.urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4))
    return struct.unpack(f">{len(packed) // 8}q", packed)


def point(text: str) -> int:
    return unpacked(text)[0]


def place(text: str) -> tuple[int, int]:
    published_ms, entry_id = unpacked(text)
    return published_ms, entry_id


PageSize = Annotated[int, Field(ge=1, le=MOST), BeforeValidator(whole)]
Seconds = Annotated[int, Field(ge=0, le=LONGEST_WAIT_S), BeforeValidator(whole)]
Ordinal = Annotated[int, Field(ge=1, le=LARGEST), BeforeValidator(whole)]
Numeral = Annotated[int, Field(ge=1, le=LARGEST), BeforeValidator(integral)]  # in a body
Position = Annotated[int, Field(ge=0, le=LARGEST), BeforeValidator(whole)]
Name = Annotated[str, StringConstraints(pattern=NAME)]
Time = Annotated[
    int,
    BeforeValidator(milliseconds),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-29T08:00:00Z"]}),
]
Point = Annotated[
    str,
    StringConstraints(pattern=POINT),
    AfterValidator(point),
    WithJsonSchema({"type": "string", "pattern": POINT}),
]
Place = Annotated[
    str,
    StringConstraints(pattern=PLACE),
    AfterValidator(place),
    WithJsonSchema({"type": "string", "pattern": PLACE}),
]

SourceName = Annotated[
    Name, Path(description="The name of a source, as the configuration has it.", examples=["seeds"])
]
FeedName = Annotated[Name, Path(description="The name of a feed.", examples=["all"])]
ChannelName = Annotated[
    Name, Path(description="The name of a channel, as `[notify.NAME]` has it.", examples=["desk"])
]
EntryId = Annotated[
    str, Path(alias="id", pattern=ENTRY, description="The number of an entry, or its `uid`.", examples=["1"])
]
Number = Annotated[Ordinal, Path(description="The number of a version.", examples=[1])]
Limit = Annotated[PageSize, Query(description="How many items at most.")]
Wait = Annotated[Seconds, Query(description="How many seconds to wait at most.")]
Removed = Annotated[
    Literal["false", "true", "any"],
    Query(description="`true`: only entries that no source holds any longer; `any`: those, too."),
]
NEXT = "The `next` of the page before, as it was given."
EntryCursor = Annotated[Place | None, Query(description=NEXT)]
Cursor = Annotated[Point | None, Query(description=NEXT)]
Names = Annotated[list[Name], Query(max_length=MOST)]
Kinds = Annotated[list[Kind], Query(max_length=MOST, description="Only these kinds of change.")]
