"""What the sources of a configuration keep, as the store understands it."""

from collections.abc import Iterable

from feedd.config.sources import Source
from feedd.store.retention import Keeps


def kept(sources: Iterable[Source]) -> list[Keeps]:
    """Of each source that does not keep everything."""
    bounded = (source for source in sources if source.keep.is_bounded)
    return [Keeps(each.name, each.keep.age, each.keep.versions, each.keep.size) for each in bounded]
