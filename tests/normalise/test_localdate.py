from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd.normalise.localdate import check_format, parse_local_date
from feedd.normalise.monthnames import MONTHS

DAY = "2026-11-24T00:00:00"


def shown(text: str, language: str | None = None, **more: object) -> str | None:
    moment = parse_local_date(text, language=language, **more)  # type: ignore[arg-type]
    if moment is None:
        return None
    return datetime.fromtimestamp(moment / 1000, UTC).replace(tzinfo=None).isoformat()


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("24 novembre 2026", "fr", DAY),
        ("Publié le mardi 24 novembre 2026 à 10h21 et modifié", "fr", "2026-11-24T10:21:00"),
        ("mar. 24 mars 2026", "fr", "2026-03-24T00:00:00"),
        ("1er janvier 2026", "fr-CA", "2026-01-01T00:00:00"),
        ("Dienstag, 24. November 2026, 10.21 Uhr", "de", "2026-11-24T10:21:00"),
        ("24. Nov. 2026 – 10:21 MEZ", "de", "2026-11-24T09:21:00"),
        ("24 de noviembre de 2026, 3:05 p. m.", "es", "2026-11-24T15:05:00"),
        ("martedì 24 novembre 2026 ore 10.21", "it", "2026-11-24T10:21:00"),
        ("24 de novembro de 2026 às 10h21", "pt-BR", "2026-11-24T10:21:00"),
        ("24 d'octubre de 2026", "ca", "2026-10-24T00:00:00"),
        ("24 ноября 2026 г. в 10:21", "ru", "2026-11-24T10:21:00"),
        ("24 листопада 2026, 10:21", "uk", "2026-11-24T10:21:00"),
        ("24 listopada 2026", "pl", DAY),
        ("24 listopadu 2026", "cs", DAY),
        ("24. listopada 2026.", "hr", "2026-10-24T00:00:00"),
        ("24 november 2026", "nl", DAY),
        ("24 marraskuuta 2026 klo 10.21", "fi", "2026-11-24T10:21:00"),
        ("2026. november 24. 10:21", "hu", "2026-11-24T10:21:00"),
        ("24 Kasım 2026 Salı", "tr", DAY),
        ("24 Νοεμβρίου 2026", "el", DAY),
        ("24 tháng 11, 2026", "vi", DAY),
        ("24 tháng mười một 2026", "vi", DAY),
        ("24 พ.ย. 2569", "th", DAY),
        ("24 नवंबर 2026", "hi", DAY),
        ("24 בנובמבר 2026", "he", DAY),
        ("٢٤ نوفمبر ٢٠٢٦ - ٣:٢١ م", "ar", "2026-11-24T15:21:00"),
        ("24 تشرين الثاني 2026", "ar", DAY),
        ("۲۴ نوامبر ۲۰۲۶", "fa", DAY),
        ("2026年11月24日 10:21", "zh", "2026-11-24T10:21:00"),
        ("2026年11月24日下午3:21", "zh-CN", "2026-11-24T15:21:00"),
        ("发布时间：2026-11-24 10:21:05 来源：新华社", "zh", "2026-11-24T10:21:05"),
        ("２０２６年１１月２４日（火）午後３時２１分", "ja", "2026-11-24T15:21:00"),
        ("令和8年11月24日", "ja", DAY),
        ("平成元年11月24日", None, "1989-11-24T00:00:00"),
        ("民國115年11月24日", "zh-TW", DAY),
        ("2026년 11월 24일 오후 3:21", "ko", "2026-11-24T15:21:00"),
        ("2026. 11. 24. 15:21", "ko", "2026-11-24T15:21:00"),
        ("26.11.24", "ko", DAY),
        ("24.11.26", "de", DAY),
        ("24.11.2026", None, DAY),
        ("24/11/2026", None, DAY),
        ("11/24/2026", "fr", DAY),
        ("11/12/2026", "en-US", "2026-11-12T00:00:00"),
        ("11/12/2026", "en-GB", "2026-12-11T00:00:00"),
        ("11/12/2026", "fr", "2026-12-11T00:00:00"),
        ("11/11/2026", None, "2026-11-11T00:00:00"),
        ("Nov. 24, 2026 3:05 PM EST", "en-US", "2026-11-24T20:05:00"),
        ("Nov 24, 2026", None, DAY),
        ("Tuesday 24th of November, 2026 at 3 pm", None, "2026-11-24T15:00:00"),
        ("10:21, 24 November 2026", None, "2026-11-24T10:21:00"),
        ("24 Nov 2026 10:00-11:00", None, "2026-11-24T10:00:00"),
        ("24 novembre 2026", None, DAY),
        ("Tue, 24 Nov 2026 10:21:00 +0100", None, "2026-11-24T09:21:00"),
        ("2026-11-24T10:21:05.250+01:00", None, "2026-11-24T09:21:05.250000"),
        ("20261124T102105Z", None, "2026-11-24T10:21:05"),
        ("20261124", None, DAY),
        ("1795515660", None, "2026-11-24T10:21:00"),
        ("24 November 2026 | 12 comments", None, DAY),
        ("24 November 2026 and 12 December 2026", None, DAY),
    ],
)
def test_dates_for_people(text: str, language: str | None, expected: str) -> None:
    assert shown(text, language) == expected


@pytest.mark.parametrize(
    "text",
    [
        "yesterday", "gestern", "3 hours ago", "il y a 2 jours", "24 Nov", "24 Nov 10:21", "November 2026", "2026",
        "May 3, 10 comments", "11/12/2026", "24.11.", "30 February 2026", "2026-13-01", "99/99/2026", "24.11.26", "",
        "10:21", "tel. 030 24 11 2026 99", "24 Smarch 2026", "今天 10:21", "v1.2.2026.1",
    ],
)  # fmt: skip
def test_no_date_is_completed(text: str) -> None:
    assert shown(text) is None


def test_a_clock_without_an_offset_is_of_the_zone() -> None:
    assert shown("02/02/2024 - 10:21", "fr", timezone="Europe/Paris") == "2024-02-02T09:21:00"
    assert shown("2024-07-02 10:21", None, timezone="Europe/Paris") == "2024-07-02T08:21:00"
    assert shown("2024-07-02", None, timezone="Asia/Tokyo") == "2024-07-01T15:00:00"


@pytest.mark.parametrize(
    ("text", "format_", "language", "expected"),
    [
        ("lundi 24 novembre 2026 - 10h21", "%A %d %B %Y - %Hh%M", "fr", "2026-11-24T10:21:00"),
        ("Posted 24 Nov 2026, 3 PM by me", "%d %b %Y, %I %p", None, "2026-11-24T15:00:00"),
        ("2026年11月24日 下午 3時21分", "%Y年%m月%d日 %p %I時%M分", "zh", "2026-11-24T15:21:00"),
        ("24.11.26", "%d.%m.%y", None, DAY),
        ("11/24/26 10:21", "%D %R", None, "2026-11-24T10:21:00"),
        ("24 Nov 2026 10:21:05.5 +0530", "%d %b %Y %H:%M:%S.%f %z", None, "2026-11-24T04:51:05.500000"),
        ("24 Nov 2026 10:21 JST", "%d %b %Y %H:%M %Z", None, "2026-11-24T01:21:00"),
        ("2026/328", "%Y/%j", None, DAY),
        ("t=1795515660!", "t=%s!", None, "2026-11-24T10:21:00"),
        ("100% 24-11-2026", "100%% %-d-%-m-%Y", None, DAY),
        ("24 พ.ย. 2569", "%d %b %Y", "th", DAY),
        ("31.02.2026", "%d.%m.%Y", None, None),
        ("no date", "%d.%m.%Y", None, None),
        ("24 November 2026", "%d.%m.%Y", None, None),
        ("24.11.20261", "%d.%m.%Y", None, None),
    ],
)
def test_formats(text: str, format_: str, language: str | None, expected: str | None) -> None:
    assert shown(text, language, formats=(format_,)) == expected


def test_the_first_format_that_fits_counts() -> None:
    assert shown("24.11.2026", None, formats=("%Y-%m-%d", "%d.%m.%Y")) == DAY


@pytest.mark.parametrize(
    ("format_", "words"),
    [
        ("%d %b", "no whole date"),
        ("%Y-%m", "no whole date"),
        ("", "no whole date"),
        ("%Y-%m-%d %Q", "'%Q'"),
        ("%Y-%m-%d %", "'%'"),
        ("%Y-%m-%d %d", "twice"),
    ],
)
def test_what_is_no_format_is_said_so(format_: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_format(format_)


@pytest.mark.parametrize("language", sorted(MONTHS))
def test_every_month_of_every_language(language: str) -> None:
    months = MONTHS[language].split("|")
    assert len(months) == 12
    for number, names in enumerate(months, 1):
        for name in names.split(","):
            year = 2569 if language == "th" else 2026
            for text in (f"7 {name} {year}", f"7. {name.upper()} {year}"):
                if "\u0301" not in text:  # no letter bears both marks in capitals
                    assert shown(text, language) == f"2026-{number:02}-07T00:00:00", text


@given(
    st.text() | st.text("0123456789 .:-/年月日novTZ+"), st.sampled_from([None, "en", "th", "zh", "xx-YY", ""])
)
def test_any_text_is_a_date_or_none(text: str, language: str | None) -> None:
    moment = parse_local_date(text, language=language, timezone="Europe/Paris")
    assert moment is None or isinstance(moment, int)


@given(st.text("%YmdHMSbBpzZjaAsDTFe -./:") | st.text(), st.text())
def test_any_format_is_one_or_a_value_error(format_: str, text: str) -> None:
    try:
        check_format(format_)
    except ValueError:
        return
    parse_local_date(text, formats=(format_,), language="fr")


@given(st.datetimes(min_value=datetime(1980, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001
def test_what_is_written_is_read(moment: datetime) -> None:
    exact = moment.replace(microsecond=0)
    assert shown(exact.isoformat()) == exact.isoformat()
    assert shown(exact.strftime("%d %B %Y, %H:%M:%S"), "en") == exact.isoformat()
    assert (
        shown(exact.strftime("x %Y/%m/%d (%H:%M:%S)"), formats=("%Y/%m/%d (%H:%M:%S)",)) == exact.isoformat()
    )
