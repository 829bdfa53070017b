"""Lines that say how long ago something was published, which differ at each look: "Updated 5 minutes ago".

A line is one if it holds nothing but a label, a relative time, and what stands beside such a time: an author,
a reading time, an agency. In running prose ("He died three days ago") a relative time is news.
"""

import re
from typing import NamedTuple

from feedd.changes.lexicon import MONTH_WORDS

LONGEST = 160  # characters of a line that can be one

AMOUNT = r"(?:\d{1,4}|an?|one|une?|eine[mnr]?|una?|few|a few|quelques|wenigen?|unos|unas|pocos|pocas)"
ABOUT = (
    r"(?:(?:about|around|over|almost|nearly|less than|more than|environ|près de|moins d'|moins de|plus d'|plus de|etwa"
    r"|rund|ca\.|weniger als|mehr als|unos|unas|menos de|más de)(?: |(?<=')))?"
)
ENGLISH_UNIT = (
    r"(?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|wks?|weeks?|mos?|months?|y|yrs?|years?)\.?"
)
FRENCH_UNIT = r"(?:s|secs?|secondes?|mn|min|minutes?|h|heures?|j|jours?|semaines?|mois|ans?|années?)\.?"
GERMAN_UNIT = r"(?:sek\.?|sekunden?|min\.?|minuten?|std\.?|h|stunden?|tage?n?|wochen?|monate?n?|jahre?n?)"
SPANISH_UNIT = r"(?:s|segundos?|min|minutos?|h|horas?|días?|semanas?|mes|meses|años?)\.?"
HAN_AMOUNT = r"(?:\d{1,4}|[一二三四五六七八九十两兩几幾数數半]{1,3})"
HAN_UNIT = r"(?:秒钟?|秒鐘|分钟?|分鐘|个?小时|個?小時|天|日|[个個]?星期|周|週|[个個箇]?月|年)"
KANA_UNIT = r"(?:秒|分|時間|日|週間|[かヶケカヵ]月|年)"
ARABIC_UNIT = (
    r"(?:ثانية|ثانيتين|ثوان|ثوانٍ|ثواني|دقيقة|دقيقتين|دقائق|ساعة|ساعتين|ساعات|يوم|يومين|أيام|يوما|يومًا|أسبوع|أسبوعين"
    r"|أسابيع|شهر|شهرين|أشهر|شهور|سنة|سنتين|سنوات|عام|عامين|أعوام)"
)
THIS = r"(?:this |the )?(?:article|story|page|post) (?:was |is )?(?:last |first )?|(?:cet |l')?article (?:a été )?|本文|この記事は"
AGO = "|".join(
    (
        rf"{ABOUT}{AMOUNT} ?{ENGLISH_UNIT}(?:,? (?:and )?\d{{1,2}} ?{ENGLISH_UNIT})? ago",
        r"just now|(?:a )?moments? ago|seconds ago",
        rf"il y a {ABOUT}{AMOUNT} ?{FRENCH_UNIT}(?: (?:et )?\d{{1,2}} ?{FRENCH_UNIT})?",
        r"à l'instant|il y a un instant|il y a quelques instants",
        rf"vor {ABOUT}{AMOUNT} {GERMAN_UNIT}|gerade eben|soeben",
        rf"hace {ABOUT}{AMOUNT} ?{SPANISH_UNIT}|ahora mismo|justo ahora|hace un momento|hace instantes",
        rf"[约約]?(?:大[约約])?{HAN_AMOUNT}{HAN_UNIT}之?(?:以)?前|[刚剛]{{2}}|[刚剛]才|片刻前",
        rf"約?\d{{1,4}}{KANA_UNIT}(?:ほど)?前|たった今|ついさっき",
        rf"(?:منذ|قبل) (?:(?:حوالي|نحو|أقل من|أكثر من) )?(?:\d{{1,4}} |نصف |ربع )?{ARABIC_UNIT}(?: واحدة?)?",
        r"منذ (?:لحظات|قليل)|قبل (?:لحظات|قليل)|للتو",
    )
)
DAY = r"today|yesterday|aujourd'hui|hier|heute|gestern|hoy|ayer|今天|昨天|今日|昨日|اليوم|أمس|الآن"
BEFORE = "|".join(  # noqa: FLY002 (a line a language)
    [
        r"(?:last |first |recently )?(?:updated|published|posted|modified|edited|revised|refreshed|reviewed)(?: on)?",
        r"(?:last |latest )?update|last (?:change|edit|modification)",
        r"(?:dernière |derniere )?(?:mise à jour|modification)|(?:mis|mise|mis) à jour|actualisée?|publiée?|modifiée?|postée?",
        r"(?:zuletzt )?(?:aktualisiert|veröffentlicht|bearbeitet|geändert)|letzte aktualisierung|stand",
        r"(?:última )?(?:actualización|actualizado|actualizada|publicado|publicada|modificado|editado)",
        r"(?:最后|最後|最近|最新)?(?:更新|发布|發布|發佈|发表|發表|修改|编辑|編輯|刊登)(?:时间|時間|于|於|在)?",
        r"(?:最終)?(?:更新|公開|投稿|掲載|配信)(?:日時|日)?",
        r"(?:آخر )?(?:تحديث|تعديل)|تم (?:التحديث|النشر|التعديل)|نُشر|نشر(?: في)?|محدّث",
    ]
)
BEHIND = r"[更发發編编][新布佈表辑輯]|に?(?:更新|公開|投稿|掲載|配信)(?:されました|しました)?|更新されました|updated|aktualisiert"
TIME = re.compile(
    rf"(?P<label>(?:{THIS})?(?:{BEFORE}))? ?:? ?(?:(?P<ago>{AGO})|(?P<day>{DAY})) ?(?P<behind>{BEHIND})?\.?"
    rf"|(?P<old>this (?:article|story) is {ABOUT}{AMOUNT} {ENGLISH_UNIT} old\.?)"
)
TIME_AT_END = re.compile(rf"(?P<byline>.{{4,80}}?),? (?P<time>(?:(?:{BEFORE}) ?:? ?)?(?:{AGO}))\.?")
# what every such line holds: looking for them is a hundred times as quick as a match
HINTS = (
    "ago now moment instant vor eben hace ahora 前 刚 剛 今 昨 ついさっき منذ قبل للتو الآن اليوم أمس"
    " today yesterday hier aujourd heute gestern hoy ayer"
).split() + ["il y a", " old"]
IN_LABEL = re.compile(
    r"时间|時間|日時|[于於在にさしまれた]"
)  # what a label has only where it leads, or only where it ends
SEPARATOR = re.compile(
    r" ?[·•∙‧|・] ?| ?(?<![文者\d])/ ?|(?<=\d) ?/ ?(?![\d ])| [–—-] | \((?=[^()]*$)|, (?=updated|published|posted|mis à jour|publié)"
)

BY = frozenset("by par von por".split())
CONNECTING = frozenset(
    "and with avec et und y de del di da van von der le la du al el bin ben for & the".split()
)
HAN_BYLINE = re.compile(
    r"(?:作者|记者|記者|文|撰文|编辑|編輯|筆者|執筆)[:/] ?(?!\w*[被杀殺死亡伤傷捕刑囚])\w{2,12}"
)
ARABIC_BYLINE = re.compile(r"(?:بقلم:?|كتب:|إعداد:) ?\w+(?: \w+){0,4}")
SOURCE = re.compile(r"(?:source|quelle|fuente|来源|來源|出典|المصدر) ?: ?")
MONTH = "|".join(sorted(MONTH_WORDS))
DATE = re.compile(
    rf"(?:(?:{BEFORE}) ?:? ?)?"
    rf"(?:\d{{1,2}}(?:st|nd|rd|th|er|\.)? (?:{MONTH})\.?,?(?: \d{{4}})?|(?:{MONTH})\.? \d{{1,2}}(?:, \d{{4}})?"
    r"|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}|\d{4}年\d{1,2}月\d{1,2}[日号號])"
    r"(?:,?(?: at| à)? ?\d{1,2}[:.h]\d{2}(?::\d{2})?(?: ?[ap]\.?m\.?)?(?: (?:gmt|utc|bst|e[ds]t|cest|cet))?)?"
)
READING = re.compile(
    r"\d{1,3} ?-?(?:min|mins|minutes?)\.?(?: read| de lecture| lesezeit| de lectura)?|(?:lecture|lesezeit|reading time):? \d{1,3} ?min\.?"
    r"|(?:阅读|閱讀)(?:时间|時間)?:?(?:约|約)?\d{1,3}分[钟鐘]|(?:この記事は)?約?\d{1,3}分(?:で読めます|読了)?"
    r"|(?:قراءة|مدة القراءة):? ?\d{1,3} (?:دقيقة|دقائق)",
)
HAN_AGENCIES = "新华社 新華社 中新社 中国新闻网 中央社 法新社 路透社 美联社 共同社 时事社 時事通信 共同通信 ロイター".split()
AGENCIES = frozenset(
    (
        *"reuters afp ap dpa efe xinhua tass kyodo bbc cnn rfi npr upi guardian news world politics business sport".split(),
        *("bbc news", "associated press", "the associated press", "le monde", "al jazeera", "france 24"),
        *("رويترز", "الجزيرة", "فرانس برس"),
        *HAN_AGENCIES,
    )
)


class Standing(NamedTuple):
    """A line with a relative time in it, without that time."""

    frame: str  # all that stands beside the time
    labelled: bool  # it says what the time is of; else the line may be an answer, or the end of a sentence
    is_day: bool  # it holds nothing but a day, such as "yesterday"


def standing(line: str, authors: tuple[str, ...] = ()) -> Standing | None:
    """The line without its relative time, if it is nothing but one and what belongs to it; `line` as `key` returns it."""
    if not 2 <= len(line) <= LONGEST:
        return None
    folded = line.casefold()
    if not any(hint in folded for hint in HINTS):
        return None
    parts = parts_of(line)
    if len(parts) == 1:
        parts = byline_apart(parts[0])
    found = [(at, time) for at, part in enumerate(parts) if (time := TIME.fullmatch(part.casefold()))]
    if len(found) != 1:
        return None
    at, time = found[0]
    labelled = bool(time["label"] or time["behind"] or time["old"])
    others = [*parts[:at], *parts[at + 1 :]]
    if (time["day"] and others and not labelled) or not all(belongs(part, authors) for part in others):
        return None
    label = "is old" if time["old"] else IN_LABEL.sub("", (time["label"] or "") + (time["behind"] or ""))
    frame = "|".join([*parts[:at], f"@{label}", *parts[at + 1 :]])
    dated = all(DATE.fullmatch(part.casefold()) for part in others)
    return Standing(frame, labelled or not dated, bool(time["day"]) and not labelled)


def parts_of(line: str) -> list[str]:
    return [part for part in SEPARATOR.split(line.strip(" ()[]")) if part]


def is_beside_time(line: str, authors: tuple[str, ...]) -> bool:
    """Whether a line is a byline, a date, a section or the like: a time behind it is that of the article."""
    if len(line) > LONGEST:
        return False
    found = standing(line, authors)
    if found:
        return found.labelled
    parts = parts_of(line)
    # a date alone may itself be an answer, to what stands before it
    return all(belongs(part, authors) for part in parts) and any(
        not DATE.fullmatch(part.casefold()) for part in parts
    )


def byline_apart(line: str) -> list[str]:
    """A byline or an agency and the time behind it, where nothing but a space or a comma is between them."""
    found = TIME_AT_END.fullmatch(line.casefold())
    if found is None or len(line) != len(line.casefold()):
        return agency_apart(line)
    byline = line[: found.end("byline")]
    if not is_byline(byline):
        return agency_apart(line)
    return [byline, line[found.start("time") : found.end("time")]]


def agency_apart(line: str) -> list[str]:
    """A Chinese or Japanese agency and the time behind it: there is no space between them that would count."""
    source = SOURCE.match(line)
    start = source.end() if source else 0
    for agency in HAN_AGENCIES:
        if line.startswith(agency, start):
            return [line[: start + len(agency)], line[start + len(agency) :].strip()]
    return [line]


def belongs(part: str, authors: tuple[str, ...]) -> bool:
    """Whether such a part stands beside the time of an article, and says nothing of what happened."""
    folded = part.casefold().strip()
    return (
        SOURCE.sub("", folded, count=1) in AGENCIES
        or any(folded == author.casefold() for author in authors)
        or READING.fullmatch(folded) is not None
        or HAN_BYLINE.fullmatch(part) is not None
        or ARABIC_BYLINE.fullmatch(part) is not None
        or DATE.fullmatch(folded) is not None
        or is_byline(part)
    )


def is_byline(part: str) -> bool:
    """Whether the part is "By" and names, or an agency; "By Paris" may be a place."""
    by, *names = part.replace(",", " ").split()
    return (
        by.casefold() in BY
        and (2 <= len(names) <= 8 or (len(names) == 1 and names[0].casefold() in AGENCIES))
        and all(name[0].isupper() or name in CONNECTING for name in names)
        and names[0][0].isupper()
    )
