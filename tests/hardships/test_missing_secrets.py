"""A secret that is not there: it is named before the start, and costs whoever needs it, and nobody else."""

from pathlib import Path

import pytest
from running import Site

NEEDY = """
[sources.closed]
type = "feed"
url = "https://feed.invalid/"
[sources.closed.auth]
bearer = "{0}"
[notify.web]
type = "webhook"
url = "https://hook.invalid/"
secret = "{0}"
"""


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        ("credential:hook", "the credential hook can't be found: CREDENTIALS_DIRECTORY is not set"),
        ("env:NO_SUCH_VARIABLE", "the environment variable NO_SUCH_VARIABLE is not set"),
    ],
)
def test_it_is_named(tmp_path: Path, secret: str, why: str) -> None:
    site = Site(tmp_path, more=NEEDY.format(secret))
    said = site.feedd("check").stderr
    assert f"notify.web.secret: {why}" in said
    assert f"sources.closed: {why}" in said


def test_a_file_that_went_away_costs_who_needs_it_alone(tmp_path: Path) -> None:
    site = Site(tmp_path, more=NEEDY.format("file:secret.txt"))
    why = f"a secret of its configuration can't be had: {tmp_path}/secret.txt can't be read: No such file or directory"
    site.seed("a.txt")
    news, closed = site.json("update", status=1)["sources"]
    assert (news["added"], news["error"]) == (1, None)
    assert closed["error"] == why
    assert why in site.feedd("notify", "test", "web", status=1).stderr
