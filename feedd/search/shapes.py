"""What a search finds, as JSON. An entry's own shape is made where all are: `feedd.shapes`."""

from feedd import shape_types, shapes
from feedd.search.finder import Hit


def hit(found: Hit) -> shape_types.Hit:
    """As `entries` has it, with its score, and title and passage as HTML: escaped, what was found within <mark>."""
    return {
        **shapes.entry(found.entry),
        "score": found.score,
        "title_html": found.title,
        "fragment": found.fragment,
    }
