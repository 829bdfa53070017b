from collections.abc import Iterator
from pathlib import Path

import pytest
from place import Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A folder, a database and looks at it."""
    made = Place(tmp_path)
    yield made
    made.close()
