"""A source's settings as those want them who read its documents: frozen values that cross to other processes."""

from feedd.config.sources import Selected, WindowSource
from feedd.normalise.url import canonical
from feedd.rules import Filter
from feedd.sources.items import Recipe
from feedd.sources.page import PageSelectors
from feedd.sources.selector import compile_selector

OPTIONAL = ("title", "link", "date", "summary", "image", "author", "next_page")


def recipe_of(source: WindowSource, identity: str | None = None) -> Recipe:
    return Recipe(
        source=source.name,
        document_url=canonical(source.url) if source.url else f"urn:feedd:{source.name}",
        identity=identity or source.identity,
        ignore_scheme=source.ignore_scheme,
        rewrite=source.rewrite,
        ignore=source.ignore,
        filter=Filter(source.match.patterns, source.reject.patterns),
        extraction=source.extraction_hash,
    )


def selectors_of(source: Selected, timezone: str | None, language: str | None) -> PageSelectors | None:
    if source.entry is None:
        return None
    found = {name: getattr(source, name) for name in ("entry", *OPTIONAL)}
    compiled = {name: compile_selector(text) for name, text in found.items() if text is not None}
    return PageSelectors(**compiled, date_format=source.date_format, timezone=timezone, language=language)
