"""Which lines say nothing but how long ago something was published."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd.changes.relative import LONGEST, is_beside_time, standing
from feedd.changes.segment import key

SAME = """
Updated 5 minutes ago | Updated 7 minutes ago
Updated 1 min ago | Updated 59 mins ago
Updated just now | Updated 5 minutes ago
Last updated: 2 hours ago | Last updated: yesterday
Updated about 1 hour ago | Updated 2 hours ago
5 minutes ago | an hour ago
(3 hours ago) | (4 hours ago)
By Jo Doe · 2 hours ago | By Jo Doe · 3 hours ago
By Jo Doe and Ann Roe, 2 hours ago | By Jo Doe and Ann Roe, 3 hours ago
By Jo Doe 2 hours ago | By Jo Doe 3 hours ago
2 hours ago • 4 min read | 3 hours ago • 4 min read
BBC News - 2 hours ago | BBC News - 1 day ago
Mis à jour il y a 5 minutes | Mis à jour il y a une heure
Publié il y a 2 h | Publié à l'instant
Par Jeanne Dupont · il y a 3 jours | Par Jeanne Dupont · il y a 4 jours
Aktualisiert vor 5 Minuten | Aktualisiert vor einer Stunde
Veröffentlicht gerade eben | Veröffentlicht vor 2 Tagen
Actualizado hace 5 minutos | Actualizado hace una hora
hace 2 horas | ahora mismo
更新于5分钟前 | 更新于 7 分钟前
更新于5分钟前 | 刚刚更新
发布时间：3小时前 | 发布时间：4小时前
5分鐘前更新 | 2小時前更新
最後更新：剛剛 | 最後更新：5 分鐘前
新华社 | 2小时前 || 新华社 | 3小时前
作者：张伟 · 2小时前 | 作者：张伟 · 3小时前
5分前に更新 | 2時間前に更新
更新：5分前 | 更新：たった今
3日前 | 4日前
منذ ٥ دقائق | منذ ساعتين
آخر تحديث: منذ 5 دقائق | آخر تحديث: منذ ساعة
Published: 3 May 2024 · Updated 2 hours ago | Published: 3 May 2024 · Updated 1 day ago
This article was last updated 1 day ago. | This article was last updated 2 days ago.
This article is more than 1 year old | This article is more than 2 years old
Article publié il y a 1 jour | Article publié il y a 2 jours
Par Anne Roy avec AFP · il y a 1 h | Par Anne Roy avec AFP · il y a 2 h
新华社 5分钟前 | 新华社 7分钟前
来源：新华社 5分钟前 | 来源：新华社 7分钟前
本文更新于5分钟前 | 本文更新于7分钟前
公開日：5日前 | 公開日：6日前
共同通信 5分前 | 共同通信 7分前
تم التحديث الآن | تم التحديث منذ دقيقة
تم التحديث قبل ساعة | تم التحديث قبل ٣ ساعات
رويترز · منذ يومين | رويترز · منذ 3 أيام
"""
NO_SUCH_LINE = """
He died three days ago
He was last seen 5 minutes ago
Man dies - 2 days ago
Arrested · 2 days ago
By the river 2 hours ago
By Paris · 2 hours ago
记者：被杀 · 2天前
Updated 14:05
Updated 5 minutes ago, three dead
In 5 minutes
5 minutes
3 years old
文革结束 · 48年前
记者被杀害 · 2天前
كتب الرئيس وصيته · قبل 3 أيام
5 min read
By Jo Doe
12 comments · 12 shares
Updated 5 minutes ago · updated 6 minutes ago
Il est mort il y a 3 heures
Er starb vor 3 Tagen
Murió hace 3 días
他三天前去世
彼は3日前に死亡
حدث منذ ٥ دقائق
توفي قبل ٣ أيام
"""


def lines_of(table: str) -> list[list[str]]:
    return [line.split(" || " if " || " in line else " | ") for line in table.strip().split("\n")]


@pytest.mark.parametrize(("old", "new"), lines_of(SAME))
def test_lines_that_differ_in_how_long_ago_it_was(old: str, new: str) -> None:
    found = standing(key(old))
    assert found is not None
    assert found == standing(key(new))


@pytest.mark.parametrize("line", [line for (line,) in lines_of(NO_SUCH_LINE)])
def test_lines_that_say_more(line: str) -> None:
    assert standing(key(line)) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("By Jo Doe · 2 hours ago", "By Jo Roe · 2 hours ago"),
        ("Published 2 hours ago", "Updated 2 hours ago"),
        ("2 hours ago · 4 min read", "2 hours ago · 5 min read"),
        ("Reuters · 2 hours ago", "AFP · 2 hours ago"),
        ("5分前に更新", "5分前に公開"),
    ],
)
def test_what_stands_beside_the_time_counts(old: str, new: str) -> None:
    assert standing(key(old)) != standing(key(new))


def test_an_author_of_the_entry_stands_beside_a_time() -> None:
    assert standing("Jo Doe · 2 hours ago", ("Jo Doe",))
    assert not standing("Jo Doe · 2 hours ago")


def test_a_time_alone_says_not_what_it_is_of() -> None:
    alone, labelled = standing("5 minutes ago"), standing("Updated 5 minutes ago")
    assert alone is not None
    assert labelled is not None
    assert (alone.labelled, labelled.labelled) == (False, True)
    day = standing("yesterday")
    assert day is not None
    assert (day.is_day, alone.is_day) == (True, False)


@pytest.mark.parametrize(
    "line",
    ["By Jo Doe", "Reuters · 3 May 2024", "4 min read", "作者：张伟", "By Reuters", "Updated 1 hour ago"],
)
def test_lines_that_stand_beside_a_time(line: str) -> None:
    assert is_beside_time(key(line), ())


@pytest.mark.parametrize(
    "line", ["Last seen", "Died 3 May 2024", "When was he killed", "最后一次联系", "3 May 2024", ""]
)
def test_lines_that_may_ask_for_a_time(line: str) -> None:
    assert not is_beside_time(key(line), ())


@given(st.text(max_size=LONGEST * 2))
def test_any_line_is_looked_at(line: str) -> None:
    standing(key(line))


@pytest.mark.parametrize(
    "part", ["5 ", "by A ", "updated ", "il y a ", "・", " · ", "前", "· 5 minutes ago "]
)
def test_hostile_lines_take_bounded_time(part: str) -> None:
    began = time.perf_counter()
    for size in range(1, LONGEST):
        assert standing((part * size)[: LONGEST - 4] + " ag") is None
    assert time.perf_counter() - began < 5
