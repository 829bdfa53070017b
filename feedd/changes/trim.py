"""What two versions begin and end with alike needs not be read to judge a change: most edits are in one paragraph."""

from feedd.changes.values import Content

BEGIN, END = "<p>", "</p>"


def trimmed(old: Content, new: Content) -> tuple[Content, Content]:
    """Both without the paragraphs that they begin and end with alike. What differs, and how, stays the same."""
    start = common_start(old.html, new.html)
    # a paragraph begins with a line of its own whatever stands before it
    start = max(old.html.rfind(BEGIN, 0, start), 0)
    first, second = old.html[start:], new.html[start:]
    length = common_end(first, second)
    shared = first[len(first) - length :]
    at = shared.find(END)
    kept = len(shared) - at - len(END) if at >= 0 else 0
    if kept:
        first, second = first[:-kept], second[:-kept]
    return old._replace(html=first), new._replace(html=second)


def common_start(one: str, other: str) -> int:
    """How many characters both begin with. Slices are compared in a hundredth of the time that a loop takes."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def common_end(one: str, other: str) -> int:
    """How many characters both end with."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[len(one) - middle : len(one) - low] == other[len(other) - middle : len(other) - low]:
            low = middle
        else:
            high = middle - 1
    return low
