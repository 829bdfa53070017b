"""The elements of a body, found once for all that looks at them."""

from collections import defaultdict
from typing import Any

Attributes = dict[str, str | None]
# its node in the tree, and its attributes: what changes one in the tree changes it here too
Element = tuple[Any, Attributes]
Elements = defaultdict[str, list[Element]]  # by name, in the order of the document


def elements_of(tree: Any) -> Elements:
    found: Elements = defaultdict(list)
    for node in tree.tags("*"):
        found[node.tag].append((node, node.attributes))
    return found
