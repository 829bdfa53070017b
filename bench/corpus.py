"""Seed files as archives hold them, made from a fixed random seed: about 4.6 kB each, with realistic clutter."""

import os
import random
from pathlib import Path
from urllib.parse import quote

HAN = "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强放决西被干做必战先回则任取据处队南给色光门即保治北造百规热领七海口东导器压志世金增争济阶油思术极交受联什认六共权收证改清己美再采转更单风切打白教速花带安场身车例真务具万每目至达走积示议声报斗完类八离华名确才科张信马节话米整空元况今集温传土许步群广石记需段研界拉林律叫且究观越织装影算低持音众书布复容儿须际商非验连断深难近矿千周委素技备半办青省列习响约支般史感劳便团往酸历市克何除消构府称太准精值号率族维划选标写存候毛亲快效斯院查江型眼王按格养易置派层片始却专状育厂京识适属圆包火住调满县局照参红细引听该铁价严"
LATIN = (
    "the council said on Tuesday that talks would go on until an agreement was reached with both sides of dispute"
    " over water rights in the northern valley where farmers have protested since early spring against the plan"
).split()
SHARE = (
    '<div><div>分享 :</div><div><a href="https://www.facebook.com/dialog/share?app_id=1&amp;href={url}" target="_blank"'
    ' rel="noopener nofollow"><span></span></a><a href="whatsapp://send?text={url}" target="_blank"><span></span></a>'
    '<a href="https://x.com/intent/tweet?url={url}&amp;via=Example" target="_blank"><span></span></a>'
    '<span data-root-share><share-button v-on:open="openModal"></share-button>'
    '<share-modal v-if="displayModal" v-on:close="closeModal"></share-modal></span></div></div>'
)
PROMOTION = "<div data-selfpromo-newsletter></div><div data-selfpromo-app></div>"
LAZY = (
    '<figure><img src="data:image/svg+xml,%3Csvg%3E" data-lazy-src="{src}"><noscript><img src="{src}"></noscript>'
    "<figcaption>{caption}</figcaption></figure>"
)
ADVERT = '<section role="region" data-e2e="advertisement" aria-label="ad"><div class="hashed-a1b2">广告</div></section>'


def sentence(chance: random.Random, *, chinese: bool) -> str:
    if chinese:
        return "".join(chance.choices(HAN, k=chance.randint(14, 40))) + chance.choice("。。。！")
    return " ".join(chance.choices(LATIN, k=chance.randint(8, 24))).capitalize() + "."


def article(number: int) -> str:
    """The text of one seed file; the same for the same number."""
    chance = random.Random(number)
    chinese = number % 3 != 0
    title = sentence(chance, chinese=chinese)[:40].rstrip("。！.")
    url = f"https://news{number % 7}.example.org/{quote(title[:12])}/{number}"
    picture = f"https://img.example.org/w:1280/{number}.jpg"
    size = chance.randint(1200, 4200) if chinese else chance.randint(1500, 4500)
    parts = [f"<div>{chance.randint(1, 28):02}/02/2024 - 10:21</div>"]
    parts.append(LAZY.format(src=picture, caption=title) if number % 4 == 0 else f'<img src="{picture}">')
    length = 0
    while length < size:
        text = "".join(sentence(chance, chinese=chinese) for _ in range(chance.randint(1, 4)))
        if chance.random() < 0.1:
            text += f'<a href="https://news.example.org/{chance.randint(1, 9999)}">{text[:8]}</a>'
        parts.append(f"<p>{text}</p>")
        length += len(text.encode())
    body = "<div>" + "".join(parts) + "</div>"
    if number % 2:
        body += PROMOTION + SHARE.format(url=quote(url, safe=""))
    if number % 5 == 0:
        body += ADVERT
    return f"<!--{1_600_000_000_000 + number * 60_000}-->\n[{title}]({url})\n------\n\n{body}\n"


def make(folder: Path, count: int, *, start: int = 0) -> int:
    """Write files numbered from `start`, an hour old; returns their size in bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    total, old = 0, 1_700_000_000
    for number in range(start, start + count):
        data = article(number).encode()
        path = folder / f"{1_048_575 - number}.md"
        path.write_bytes(data)
        os.utime(path, (old, old))
        total += len(data)
    return total
