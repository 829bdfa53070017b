import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from feedd.normalise.html import clean
from feedd.normalise.text import FORBIDDEN

BASE = "https://example.org/news/1"
PICTURE = "https://example.org/p.jpg"
BLANK = "data:image/svg+xml,%3Csvg%3E"
SHARE = '<a href="https://x.com/intent/tweet?url=x"><span></span></a>'

SAFE_TAGS = frozenset(
    "a abbr address article aside audio b bdi bdo blockquote br caption center cite code col colgroup dd del details"
    " dfn div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark ol p pre q rp"
    " rt ruby s samp section small span strong sub summary sup table tbody td tfoot th thead time tr u ul var video"
    " wbr".split()
)
SAFE_ATTRIBUTES = frozenset(
    "alt cite colspan controls datetime dir height href lang poster rowspan src start title width".split()
)
SAFE_ADDRESS = re.compile(r"https?://|mailto:|tel:")


class Unsafe(HTMLParser):
    """Collects tags and attributes that no feed should carry."""

    def __init__(self, cleaned: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(cleaned)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in SAFE_TAGS:
            self.found.append(tag)
        for name, value in attrs:
            address = name in {"href", "src", "poster", "cite"}
            if name not in SAFE_ATTRIBUTES or (address and not SAFE_ADDRESS.match(value or "")):
                self.found.append(f"{name}={value}")

    def handle_comment(self, data: str) -> None:
        self.found.append(data)


@pytest.mark.parametrize(
    "raw",
    [
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)><p>",
        "<svg><style><img src=x onerror=alert(1)></style></svg>",
        "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
        "<math><annotation-xml encoding='text/html'><p><script>alert(1)</script>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
        "<noscript><img src=/a.jpg onerror=alert(1)></noscript>",
        "<a href='java\tscript:alert(1)'>x</a>",
        "<a href='&#1;javascript:alert(1)'>x</a>",
        "<a href='java&#xFFFE;script:alert(1)'>x</a>",
        "<img data-lazy-src='javascript:alert(1)'>",
        "<iframe src='javascript:alert(1)' title='<script>'></iframe>",
        "<iframe src='https://www.youtube.com/embed/abcdefgh' title='\"><script>alert(1)</script>'></iframe>",
        "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
        "<x-a onclick=alert(1)><b onclick=alert(1)>x</b></x-a>",
        "<base href='https://example.net/'><meta http-equiv=refresh content=0><link rel=stylesheet href=x>",
        "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>",
        "<" * 300 + "script>alert(1)</script>",
        "<b>" * 300 + "&lt;script&gt;alert(1)&lt;/script&gt;<img src=x onerror=alert(1)>",
    ],
)
def test_nothing_that_runs_is_let_through(raw: str) -> None:
    cleaned = clean(raw, BASE)
    assert Unsafe(cleaned).found == []
    assert clean(cleaned, BASE) == cleaned


FRAGMENTS = st.one_of(
    st.builds(
        "<{}{}{}>".format,
        st.sampled_from(
            "p div span a b em h2 ul li table tr td figure picture source img video audio iframe noscript script style svg"
            " math title textarea select option button form template object share-button x-card section blockquote q"
            " pre br time ruby rt details meta font center body xmp".split()
        ),
        *[
            st.sampled_from(
                [
                    "",
                    ' href="https://www.facebook.com/dialog/share?x=1"',
                    ' href="/a?b=1&c=2"',
                    ' href="javascript:alert(1)"',
                    ' href=" java\tscript:alert(1)"',
                    ' onclick="alert(1)" v-on:open="x"',
                    f' src="{BLANK}" data-lazy-src="{PICTURE}"',
                    f' src="{PICTURE}"',
                    ' src="https://[bad"',
                    ' src="https://exa mple/"',
                    ' srcset="/a.jpg 100w, /b.jpg 2000w"',
                    ' src="//www.youtube.com/embed/abcdefghijk" title="a <b> & c"',
                    ' style="display:none"',
                    ' width="1" height="1"',
                    " data-selfpromo-app",
                    " title='a\"b>c'",
                    ' alt="<script>x</script>"',
                    " dir=rtl",
                ]
            )
        ]
        * 2,
    ),
    st.sampled_from(
        "</p> </div> </a> </b> </li> </table> </td> </svg> </math> </noscript> </pre> </x-card> </".split()
    ),
    st.sampled_from(
        '分享 :|share| |\n|&nbsp;|&lt;script&gt;|&#0;|&#1;|&#xFFFF;|<|>|&|"|1.5%|<!--|-->|<![CDATA[|]]>'.split(
            "|"
        )
        + "\x00|\x01|\ufffe|\u00ad|\u3000|\r".split("|")
    ),
    st.text(max_size=3),
)


@settings(max_examples=400, derandomize=True)
@given(st.lists(FRAGMENTS, max_size=12).map("".join))
@example("<pre>\n\n<img>\n\n")
@example("<img src='https://[bad'>")
@example("&#xFFFF;\u3000\xa0")
@example("<li><b><section><li>1.5%<li>")
def test_cleaning_is_safe_and_twice_changes_nothing(raw: str) -> None:
    cleaned = clean(raw, BASE)
    assert clean(cleaned, BASE) == cleaned
    assert Unsafe(cleaned).found == []
    assert not FORBIDDEN.search(cleaned)


DEEP = 100_000


@pytest.mark.parametrize(
    "raw",
    [
        "<div>" * DEEP,
        "<div>" * DEEP + "</div>" * DEEP,
        "<DiV >" * DEEP,
        "<div/>" * DEEP,
        "<!-->" + "<div>" * DEEP,
        "<!-- --!>" + "<div>" * DEEP,
        "<script-x>" + "<div>" * DEEP,
        "<svg><style>" + "<div>" * DEEP,
        "<math><title>" + "<div>" * DEEP,
        "<svg>" * DEEP,
        "<p><b>" * DEEP,
        "<font size=1>" * 23 + "<p>x" * 10_000,
        "<table><tr><td>" * DEEP,
        "<b><div></b>" * 20_000,
        "<select><option>" * DEEP,
        "<x-card>" * DEEP,
        "<" * DEEP,
        "<a" * DEEP,
        '<a href="' * DEEP,
        "<!--" * DEEP,
        "<p " + "a=1 " * DEEP + ">",
        '<img srcset="' + "," * DEEP + '">',
        '<img srcset="' + "a.jpg 1x, " * DEEP + '">',
        '<img src="//' + "a." * DEEP + '">',
        '<noscript><img src="a.jpg"></noscript>' * 5_000,
        f"<div>{SHARE}</div>" * 10_000,
        f"<p>{' ' * DEEP}x<script></script></p>",
        f"<div>share{' ' * DEEP}x</div>{SHARE}",
        f"<p>:{' ' * DEEP}:x<script></script></p>",
        f"<picture>{'<source srcset=a>' * 10_000}{'<img>' * 10_000}</picture>",
        f"{'<noscript>' * 200}{'<img src=a.jpg>' * 20_000}",
        "<div>" * 250 + SHARE + "</div>" * 250,
    ],
    ids=lambda raw: raw[:16],
)
def test_hostile_nesting_is_cleaned_quickly(raw: str) -> None:
    start = time.perf_counter()
    cleaned = clean(f"{raw}<p>text", BASE)
    assert time.perf_counter() - start < 10
    assert Unsafe(cleaned).found == []
