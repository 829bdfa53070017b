from collections.abc import Iterator

import pytest
from browsing import chromium
from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """No longer than a module: while Playwright's loop runs, no other test of the process can run one."""
    with chromium() as started:
        yield started
