import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd.normalise.dates import parse_date

FORMS = st.sampled_from(
    [
        "%a, %d %b %Y %H:%M:%S GMT",
        "%a, %d %b %Y %H:%M:%S +0000",
        "%A, %d-%b-%y %H:%M:%S GMT",
        "%a %b %d %H:%M:%S %Y",
        "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%d %H:%M:%S",
        "%Y/%m/%d %H:%M:%S",
        "%Y%m%dT%H%M%SZ",
        "%G-W%V-%uT%H:%M:%SZ",
        "%Y-%jT%H:%M:%SZ",
        "%B %d, %Y %I:%M:%S %p",
        "%d %B %Y, %H:%M:%S UTC",
        "%Y年%m月%d日 %H:%M:%S",
    ]
)


def shown(found: int | None) -> str | None:
    if found is None:
        return None
    return datetime.fromtimestamp(found / 1000, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")


@pytest.mark.parametrize(
    "text, expected",
    [
        # RFC 5322, 822, 1123
        ("Thu, 01 Jan 2004 19:48:21 GMT", "2004-01-01T19:48:21.000"),
        ("Thu, 1 Jan 2004 19:48 EST", "2004-01-02T00:48:00.000"),
        ("01 Jan 2004 19:48:21 +0130", "2004-01-01T18:18:21.000"),
        ("Thu, 01 Jan 04 19:48:21 -0100", "2004-01-01T20:48:21.000"),
        ("Mon, 01 Jan 2004 19:48:21 GMT", "2004-01-01T19:48:21.000"),  # it was a Thursday
        ("Thu,  01   Jan 2004  19:48:21  +01:00", "2004-01-01T18:48:21.000"),
        ("thu, 01 jan 2004 19:48:21 gmt", "2004-01-01T19:48:21.000"),
        ("Thursday, 1 January 2004 19:48:21 PDT", "2004-01-02T02:48:21.000"),
        ("1 Sept 2004 10:00:00 CEST", "2004-09-01T08:00:00.000"),
        ("1 January 2004 10:00:00 GMT+0200", "2004-01-01T08:00:00.000"),
        ("Sat, 05 Sep 2009 20:15:08 +0000 (UTC)", "2009-09-05T20:15:08.000"),
        ("Thu, 01, Jan, 2004, 10:00:00 GMT", "2004-01-01T10:00:00.000"),
        ("Thu, 01 Jan 2004 24:00:00 GMT", "2004-01-02T00:00:00.000"),
        ("Sat, 31 Dec 2016 23:59:60 GMT", "2017-01-01T00:00:00.000"),
        ("Thu, 01 Jan 2004 10:00:00 A", "2004-01-01T10:00:00.000"),  # RFC 5322 section 4.3: nothing is known
        ("Thu, 01 Jan 2004", "2004-01-01T00:00:00.000"),
        # RFC 850, asctime and what is like them
        ("Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37.000"),
        ("Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37.000"),
        ("Sun Nov 06 08:49:37 CET 1994", "1994-11-06T07:49:37.000"),
        ("Thu Aug 30 2012 17:26:16 +0200", "2012-08-30T15:26:16.000"),
        ("January 1, 2004 7:48 PM", "2004-01-01T19:48:00.000"),
        ("January 1st, 2004 12:05 a.m.", "2004-01-01T00:05:00.000"),
        # RFC 3339, ISO 8601, W3CDTF
        ("2004-02-28T18:14:55-08:00", "2004-02-29T02:14:55.000"),
        ("2004-02-28T18:14:55.123456-0800", "2004-02-29T02:14:55.123"),
        ("2004-02-28t18:14:55,5z", "2004-02-28T18:14:55.500"),
        ("2004-02-28 18:14:55 PST", "2004-02-29T02:14:55.000"),
        ("2004-02-28T24:00:00Z", "2004-02-29T00:00:00.000"),
        ("2004-02-28T18Z", "2004-02-28T18:00:00.000"),
        ("2004-02-28T18:14+01", "2004-02-28T17:14:00.000"),
        ("2004-02-28", "2004-02-28T00:00:00.000"),
        ("2004-2-8", "2004-02-08T00:00:00.000"),
        ("20040228", "2004-02-28T00:00:00.000"),
        ("20040228101112", "2004-02-28T10:11:12.000"),
        ("20040228T101112Z", "2004-02-28T10:11:12.000"),
        ("2004-W09-6", "2004-02-28T00:00:00.000"),
        ("2004W096T10:11", "2004-02-28T10:11:00.000"),
        ("2004-059", "2004-02-28T00:00:00.000"),
        ("2004059", "2004-02-28T00:00:00.000"),
        ("2004/02/28", "2004-02-28T00:00:00.000"),
        ("Sat, 2004-02-28T10:00:00Z", "2004-02-28T10:00:00.000"),
        ("2004-07-08 23:56:58.0", "2004-07-08T23:56:58.000"),  # MS SQL
        ("2004-02", "2004-02-01T00:00:00.000"),  # W3CDTF says that little on purpose
        ("2004", "2004-01-01T00:00:00.000"),
        # where the order is beyond doubt
        ("28/02/2004 10:00", "2004-02-28T10:00:00.000"),
        ("12/25/2004", "2004-12-25T00:00:00.000"),
        ("5.6.2004", "2004-06-05T00:00:00.000"),
        # other languages
        ("2004년 05월 28일  01:31:15", "2004-05-27T16:31:15.000"),
        ("2004-05-25 오후 11:23:17", "2004-05-25T23:23:17.000"),
        ("2024年5月25日 下午1:05", "2024-05-25T13:05:00.000"),
        ("Κυρ, 11 Ιούλ 2004 12:00:00 EST", "2004-07-11T17:00:00.000"),
        ("2004-július-13T9:15-05:00", "2004-07-13T14:15:00.000"),
        ("13. März 2024, 14:05 Uhr", "2024-03-13T14:05:00.000"),
        ("mar. 2 avril 2024 10:30", "2024-04-02T10:30:00.000"),
        ("2 de marzo de 2024", "2024-03-02T00:00:00.000"),
        # Unix times
        ("1706867102", "2024-02-02T09:45:02.000"),
        ("1706867102123", "2024-02-02T09:45:02.123"),
    ],
)
def test_forms(text: str, expected: str) -> None:
    assert shown(parse_date(text)) == expected
    assert shown(parse_date(f" \n{text}\t")) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "yesterday", "19:48", "Jan 2004", "May 5", "5 May 10:00", "--12-31", "12:00 GMT", "Monday",
        "03-12-31", "03/04/2004", "2003-13-01", "2003-02-30", "31 Jun 2004", "Thu, 31 Jun 2004 19:48:21 GMT",
        "2003-12-31T25:14:55Z", "2003-12-31T10:61:00Z", "0000-01-01", "123456", "99999999999999999999",
        "²⁰²⁴", "٢٠٢٤-٠١-٠١", "1 " * 200, "9" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_full_date_is_none(text: str) -> None:
    assert parse_date(text) is None


def test_naive_times_are_in_the_zone_that_is_asked_for() -> None:
    assert shown(parse_date("2024-07-01 12:00", timezone="Europe/Paris")) == "2024-07-01T10:00:00.000"
    assert shown(parse_date("1 January 2024 12:00", timezone="Europe/Paris")) == "2024-01-01T11:00:00.000"
    assert shown(parse_date("2024-07-01T12:00Z", timezone="Europe/Paris")) == "2024-07-01T12:00:00.000"
    assert shown(parse_date("1 Jul 2024 12:00 EST", timezone="Europe/Paris")) == "2024-07-01T17:00:00.000"
    assert shown(parse_date("2024-07-01 12:00", timezone="Nowhere/At all")) == "2024-07-01T12:00:00.000"


@given(st.datetimes(datetime(1970, 1, 2), datetime(2068, 1, 1)), FORMS)  # noqa: DTZ001
def test_every_form_gives_the_moment(moment: datetime, form: str) -> None:
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    assert parse_date(moment.strftime(form)) == int(moment.timestamp()) * 1000


@given(st.datetimes(timezones=st.timezones()))
def test_rfc_3339_gives_the_moment(moment: datetime) -> None:
    text = moment.isoformat(timespec="milliseconds")
    if moment.utcoffset() is None or len(text) != 29:
        return  # offsets to the second, of the days of local time
    seconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    assert abs(parse_date(text) - seconds * 1000) < 1000  # type: ignore[operator]


PIECES = st.lists(
    st.sampled_from(
        [*"0123456789:-/+.,TZW ", "Jan", "mar", "2004", "10:00", "GMT", "年", "오후", "\ud800", "٣"]
    ),
    max_size=30,
).map("".join)


@given(st.text() | PIECES, st.none() | st.text(max_size=20))
def test_nothing_is_raised(text: str, timezone: str | None) -> None:
    found = parse_date(text, timezone=timezone)
    assert found is None or isinstance(found, int)


@pytest.mark.parametrize("unit", ["1", ":", "1:", "a", " ", "-", "2004-", "jan ", "+1", "年", "1:1", "T"])
def test_time_is_bounded(unit: str) -> None:
    begun = time.process_time()
    parse_date(unit * 100_000)
    parse_date((unit * 500)[:479])
    assert time.process_time() - begun < 0.1
