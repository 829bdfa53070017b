r"""Characters by how text made of them is cut, as the insides of classes of regular expressions.

`re` knows letters and digits, but neither scripts nor combining marks. The ranges of marks also hold letters of
the same scripts and unassigned numbers, which is harmless where letters go on, too; never digits or punctuation.
"""

# Han with its repetition marks and numerals, and kana: written without spaces
HAN = "\u3005-\u3007\u3021-\u3029\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
HIRAGANA = "\u3041-\u3096\u309d-\u309f"
KATAKANA = "\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"
UNSPACED = HAN + HIRAGANA + KATAKANA
VOICING = "\u3099\u309a"

# Thai, Lao, Burmese, Khmer: written without spaces, too, and in clusters of a base and its marks
CLUSTER_PREFIX = "\u0e40-\u0e44\u0ec0-\u0ec4"
CLUSTER_BASE = (
    "\u0e01-\u0e2f\u0e81-\u0eaf\u0ebd\u0edc-\u0edf"
    "\u1000-\u102a\u103f\u1050-\u1055\u105a-\u105d\u1061\u1065\u1066\u106e-\u1070\u1075-\u1081\u108e"
    "\u1780-\u17b3"
)
CLUSTER_MARK = (
    "\u0e30-\u0e3a\u0e45-\u0e4e\u0eb0-\u0ebc\u0ec6-\u0ecd"
    "\u102b-\u103e\u1056-\u1059\u105e-\u1060\u1062-\u1064\u1067-\u106d\u1071-\u1074\u1082-\u108d\u108f\u109a-\u109d"
    "\u17b4-\u17d3\u17dd"
)
STACKING = "\u1039\u17d2"  # the consonant behind it stands below the one before it
CLUSTERED = CLUSTER_PREFIX + CLUSTER_BASE + CLUSTER_MARK

MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u0711-\u074a\u07a6-\u07b0\u07eb-\u07f3\u07fd\u0816-\u082d"
    "\u0859-\u085b\u0898-\u089f\u08ca-\u08e1\u08e3-\u0963\u0981-\u09e3\u09fe-\u0a63\u0a70-\u0a75\u0a81-\u0ae3"
    "\u0afa-\u0b63\u0b82-\u0be5\u0c00-\u0c65\u0c81-\u0c83\u0c85-\u0ce5\u0d00-\u0d4e\u0d54-\u0d57\u0d5f-\u0d65"
    "\u0d81-\u0de5\u0df2\u0df3\u0f18\u0f19\u0f35\u0f37\u0f39\u0f71-\u0f84\u0f86-\u0fbc\u0fc6\u135d-\u135f"
    "\u1712-\u1734\u1752-\u1773\u180b-\u180d\u180f\u1885-\u18a9\u1920-\u193b\u1a17-\u1a1b\u1a55-\u1a7f"
    "\u1ab0-\u1ace\u1b00-\u1b04\u1b34-\u1b44\u1b6b-\u1b73\u1b80-\u1bad\u1be6-\u1bf3\u1c24-\u1c37\u1cd0-\u1cd2"
    "\u1cd4-\u1cf9\u1dc0-\u1dff\u2cef-\u2cf1\u2d7f\u2de0-\u2dff\ua66f-\ua672\ua674-\ua67d\ua69e\ua69f"
    "\ua802-\ua827\ua880\ua881\ua8b4-\ua8c5\ua8e0-\ua8f1\ua8ff\ua926-\ua92d\ua947-\ua953\ua980-\ua983"
    "\ua9b3-\ua9c0\uaa29-\uaa4d\uaa7b-\uaa7d\uaab0-\uaac1\uaaeb-\uaaef\uabe3-\uabea\uabec\uabed\ufb1e"
    "\ufe20-\ufe2f\U00011000-\U00011002\U00011038-\U00011046\U000110b0-\U000110ba\U00011100-\U00011134"
    "\U0001e944-\U0001e94a"
)
# invisible, and no end of a word: soft hyphen, zero-width space, non-joiner and joiner, word joiner, byte order mark
JOINERS = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
ZERO_WIDTH_JOINER = "\u200d"
# what may follow a sign or a picture and belongs to it: variation, enclosing marks, skin tones, tags of flags
EXTENDING = (
    MARKS
    + VOICING
    + "\u20d0-\u20f0\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\U000e0100-\U000e01ef"
)
REGIONAL = "\U0001f1e6-\U0001f1ff"
RAISED = "\u00b2\u00b3\u00b9\u00bc-\u00be\u2070\u2074-\u207b\u2080-\u2089\u2150-\u215e\u2189"  # ² ₂ ½

BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
CLOSING = "\"'”’»›)\\]}」』）】》〉］｝＂＇"
DOUBLE_QUOTES = "«»‹›「」『』﹁﹂﹃﹄｢｣“”„‟〝〞〟❝❞״＂"
SINGLE_QUOTES = "‘’‚‛❛❜ʼ׳＇´"

# as the insides of the forms that another character stands for: half-width, Arabic as it is joined, ligatures
PRESENTED = "\uff61-\uffdc\uffe0-\uffe2\uffe5\uffe6\uffe8-\uffee\ufb00-\ufb06\ufb50-\ufdff\ufe70-\ufefc"
# Han numbers; the second are multipliers, which may stand behind digits with a space or without
HAN_NUMERALS = "〇零一二三四五六七八九十廿卅百两兩半壹贰貳叁參肆伍陆陸柒捌玖拾佰仟"
MULTIPLIERS = "千万萬亿億兆"
# those of scripts in which a joiner says nothing: Latin, Greek, Cyrillic, Hebrew, Arabic; see UNSPACED for Han, kana
UNJOINED = "\\x00-\u08ff\u2000-\u20cf\u3000-\u303f\uff00-\uffef"
