from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from net import Net
from place import Place
from webserver import Web

# runs differ, so that fewer examples a run find as much in the end; where rules are subtle, tests ask for more. How long
# one takes says more of the machine than of feedd
settings.register_profile("feedd", max_examples=40, deadline=None)
settings.load_profile("feedd")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A folder, a database and looks at it."""
    made = Place(tmp_path)
    yield made
    made.close()


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Net]:
    """Sources on a loopback web, and looks at them."""
    with Web() as web:
        made = Net(tmp_path, web)
        yield made
        made.close()
