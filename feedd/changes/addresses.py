"""Which link, file or picture an address is of, whatever its spelling and, for a picture, its size. Pure."""

import re
from urllib.parse import parse_qsl

from feedd.normalise.url import BadUrl, canonical

# what a server makes of a file, and what lets one see it, not which one it is
RENDERING = frozenset(
    "w width h height q quality fit crop fm format auto dpr ver version cb ts _ sig signature expires"
    " token resize scale size imwidth impolicy x-amz-algorithm x-amz-credential x-amz-date x-amz-expires"
    " x-amz-security-token x-amz-signature x-amz-signedheaders key-pair-id policy".split()
)
SIZES = frozenset("w width h height q quality fit crop dpr resize scale size imwidth".split())
SIGNING = frozenset(
    ("s", "v", "t", "hash")
)  # beside a size: of the rendering; alone they may tell the picture

# --- sizes in the path of a picture: where a number may be the picture's own, it stays ---

LONGEST = 2_000  # characters; what is longer is no picture's address
PROXY = re.compile(r"//i\d\.wp\.com/([^/]+\.[^/]+/)")
DOUBLE_SUFFIX = re.compile(r"(\.(?:jpe?g|png|gif))\.(?:webp|avif)$")
SUFFIX = re.compile(r"\.(?:jpe?g|webp|avif)$", re.IGNORECASE)
PICTURE = "\0"  # stands for the suffix of all that may be the same picture in another format
SIZE_AT_END = re.compile(r"-\d{2,4}x\d{2,4}(?=\.\w+$|\0$)")  # as WordPress names them
# a width that is in use, behind a name that is surely the picture's own: with a number of seven digits or a hash
WIDTHS = "(?:100|120|150|160|180|200|220|240|250|280|300|320|360|400|420|440|450|460|480|500|540|600|620|624|640|660"
WIDTHS += (
    "|680|700|720|750|768|780|800|820|900|960|976|980|1000|1024|1080|1200|1280|1400|1440|1500|1536|1600|1800"
)
WIDTHS += "|1920|2000|2048|2400|2560)"
WIDTH_AT_END = re.compile(
    rf"(?<=[\w-])(?:(?<=\d{{7}})|(?<=[0-9a-f]{{12}}))(?<!(?:19|20)\d{{6}})[_-]{WIDTHS}w?(?=\.\w+$|\0$)"
)
# sizes of one kind to the last: `/w:100/h:200` is not taken for `/w:100`
SIZE_FOLDER = re.compile(
    r"/(?:\d{2,4}x\d{2,4}|(?:[a-z]{1,3}_[a-z]++,)*[wh]_\d{2,4}(?:,[a-z]{1,3}_[\w.:]++)*"
    r"|[wh]:\d{2,4}(?:[,/][a-z]{1,3}:\w++)*(?!/[a-z]{1,3}:\w))(?=/)"
)
BBC = re.compile(r"^(//ichef\.bbci\.co\.uk/(?:news|ace/\w+|images/ic))/\d{2,4}(?:x\d{2,4})?(?=/)")
LE_MONDE = re.compile(r"/\d{2,4}/0(?:/\d{1,3}/0)?(?=/[^/]*$)")
WIDTH_FOLDER = re.compile(r"/\d{2,4}/0(?:/\d{1,3}/0)?(?=/[^/]*\d[^/]*$)")
GUARDIAN = re.compile(r"(/[0-9a-f]{32,40}/(?:[^/]++/)*?)\d{2,4}(?=\0$|\.png$)")


def link(address: str) -> str:
    """Of a link: what stays of its address, however it is spelled; see `normalise.url`."""
    try:
        return canonical(address, ignore_scheme=True)
    except BadUrl:
        return address


def file(address: str) -> str:
    """Of a sound, a film or any enclosure."""
    bare, pairs = parted(address)
    return joined(bare, [pair for pair in pairs if pair[0].lower() not in RENDERING])


def picture(address: str) -> str:
    bare, pairs = parted(address)
    names = {name.lower() for name, _ in pairs}
    ignored = RENDERING | SIGNING if names & SIZES else RENDERING
    return joined(sizeless(bare), [pair for pair in pairs if pair[0].lower() not in ignored])


def parted(address: str) -> tuple[str, list[tuple[str, str]]]:
    """The address without protocol, query and fragment, and the query's pairs."""
    bare, _, query = link(address).partition("?")
    bare = bare.removeprefix("https:").removeprefix("http:")
    return bare, parse_qsl(query, keep_blank_values=True) if query else []


def joined(bare: str, pairs: list[tuple[str, str]]) -> str:
    return f"{bare}?{sorted(pairs)}" if pairs else bare


def sizeless(bare: str) -> str:
    """The host and path of a picture without its size and format."""
    if len(bare) > LONGEST:
        return bare
    bare = PROXY.sub(r"//\1", bare)
    bare = SUFFIX.sub(PICTURE, DOUBLE_SUFFIX.sub(r"\1", bare))
    if not any(map(str.isdigit, bare)):
        return bare
    bare = GUARDIAN.sub(r"\1", BBC.sub(r"\1", SIZE_FOLDER.sub("", bare)))
    if "/0/" in bare:
        named = bare.startswith("//img.lemde.fr/")
        bare = (LE_MONDE if named else WIDTH_FOLDER).sub("", bare)
    return WIDTH_AT_END.sub("", SIZE_AT_END.sub("", bare))
