"""Seed files as archives hold them, made from fixed random seeds: about 4.6 kB each.

Two of three are Chinese. Half have the share box, promotion and custom elements of one big outlet, a quarter
lazy pictures, an advertisement and another kind of share box, and a quarter no clutter at all.
"""

import os
import random
from functools import cache
from pathlib import Path
from urllib.parse import quote

HAN = "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强放决西被干做必战先回则任取据处队南给色光门即保治北造百规热领七海口东导器压志世金增争济阶油思术极交受联什认六共权收证改清己美再采转更单风切打白教速花带安场身车例真务具万每目至达走积示议声报斗完类八离华名确才科张信马节话米整空元况今集温传土许步群广石记需段研界拉林律叫且究观越织装影算低持音众书布复容儿须际商非验连断深难近矿千周委素技备半办青省列习响约支般史感劳便团往酸历市克何除消构府称太准精值号率族维划选标写存候毛亲快效斯院查江型眼王按格养易置派层片始却专状育厂京识适属圆包火住调满县局照参红细引听该铁价严"
LATIN = (
    "the council said on Tuesday that talks would go on until an agreement was reached with both sides of a dispute"
    " over water rights in the northern valley where farmers have protested since early spring against its plan to"
    " build three reservoirs and 45 kilometres of canal at a cost that nobody could name when ministers were asked"
)
SENTENCES = 3_000  # of each language: enough that no two bodies are alike
SMALLEST, USUAL, LARGEST = 1_200, 2_000, 5_000  # bytes of text

PICTURE = '<img src="https://img.example.org/media/display/{id}/w:1280/p:16x9/{number}.JPG">'
LAZY = (
    '<figure class="hashed-f00d"><img class="lazyload" src="data:image/svg+xml,%3Csvg%20viewBox=%220%200%20640%20360%22%3E"'
    ' data-lazy-src="{src}" data-srcset="{src}?w=320 320w, {src}?w=640 640w"><noscript><img src="{src}"></noscript>'
    "<figcaption>{caption}</figcaption></figure>"
)
PROMOTION = "<div data-selfpromo-newsletter></div><div data-selfpromo-app></div>"
SHARE = (
    '<div><div>分享 :</div><div><a href="https://www.facebook.com/dialog/share?app_id=113191652055439&amp;href={url}'
    '&amp;redirect_uri={url}&amp;locale=zh_CN" target="_blank" rel="noopener nofollow"><span></span></a>'
    '<a href="whatsapp://send?text={title}%20-%20{url}" target="_blank" rel="noopener nofollow"><span></span></a>'
    '<a href="https://web.whatsapp.com/send?text={url}" target="_blank" rel="noopener nofollow"><span></span></a>'
    '<a href="https://x.com/intent/tweet?url={url}&amp;via=Example" target="_blank" rel="noopener nofollow">'
    '<span></span></a><span data-root-share><share-button v-on:open="openModal"></share-button>'
    '<share-modal v-if="displayModal" v-on:close="closeModal"></share-modal></span></div></div>'
)
ADD_TO_ANY = (
    '<div class="addtoany_share_save_container"><a href="https://www.addtoany.com/add_to/facebook?linkurl={url}"'
    ' rel="nofollow noopener" target="_blank"></a><a href="https://www.addtoany.com/add_to/x?linkurl={url}"></a></div>'
)
ADVERT = '<section role="region" data-e2e="advertisement" aria-label="ad"><div class="hashed-a1b2">广告</div></section>'


@cache
def sentences(chinese: bool) -> tuple[str, ...]:
    chance, words = random.Random(chinese), LATIN.split()
    if chinese:
        return tuple(
            "".join(chance.choices(HAN, k=chance.randint(14, 40))) + chance.choice("，。。！")
            for _ in range(SENTENCES)
        )
    return tuple(
        " ".join(chance.choices(words, k=chance.randint(8, 24))).capitalize() + ". " for _ in range(SENTENCES)
    )


def paragraphs(chance: random.Random, *, chinese: bool) -> list[str]:
    """The text of an article, a list element a paragraph, some with a link or an emphasis."""
    parts, length, wanted = [], 0, chance.triangular(SMALLEST, LARGEST, USUAL)
    while length < wanted:
        text = "".join(chance.choices(sentences(chinese), k=chance.randint(1, 4)))
        length += len(text) * (3 if chinese else 1)
        kind = chance.random()
        if kind < 0.1:
            text += f'<a href="https://news.example.org/{chance.randint(1, 9999)}">{text[:8]}</a>'
        elif kind < 0.2:
            text = f"<strong>{text}</strong>"
        parts.append(f"<p>{text}</p>")
    return parts


def article(number: int) -> str:
    """One seed file; the same for the same number."""
    chance = random.Random(number)
    chinese = number % 3 != 0
    title = chance.choice(sentences(chinese))[:40].strip("，。！. ")
    spelled = quote(title[:16])
    url = f"https://news{number % 7}.example.org/{spelled}/{number}"
    picture = PICTURE.format(id=f"{chance.getrandbits(128):032x}", number=number)
    text = paragraphs(chance, chinese=chinese)
    match number % 4:
        case 0:
            lazy = LAZY.format(src=f"https://img.example.org/{number}.jpg", caption=title)
            text.insert(len(text) // 2, ADVERT)
            body = lazy + "".join(text) + ADD_TO_ANY.format(url=quote(url, safe=""))
        case 1:
            body = (picture if number % 8 == 1 else "") + "".join(text)
        case _:
            date = f"<div>{chance.randint(1, 28):02}/02/2024 - 10:21</div>"
            share = SHARE.format(url=quote(url, safe=""), title=spelled)
            body = f"{date}{picture}{text[0]}<div>{''.join(text[1:])}{PROMOTION}</div>{share}"
    return f"<!--{1_600_000_000_000 + number * 60_000}-->\n[{title}]({url})\n------\n\n{body}\n"


def make(folder: Path, count: int, *, start: int = 0) -> int:
    """Write files numbered from `start`, long unchanged; returns their size in bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    total, old = 0, 1_700_000_000
    for number in range(start, start + count):
        data = article(number).encode()
        path = folder / f"{1_048_575 - number}.md"
        path.write_bytes(data)
        os.utime(path, (old, old))
        total += len(data)
    return total
