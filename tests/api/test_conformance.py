"""The API is what its description says: asked with whatever fits the description, and with whatever does not."""

import gc
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from schemathesis import Config
from schemathesis.engine import Status, events, from_schema
from stack import Stack

EXAMPLES = 15  # an operation and way of making them up; besides those that meet each bound
SETTINGS: dict[str, Any] = {
    "seed": 1,
    "generation": {"max-examples": EXAMPLES, "deterministic": True, "database": "none", "no-shrink": True},
    "phases": {
        "coverage": {"unexpected-methods": ["PUT", "DELETE", "TRACE"]},
        "stateful": {"max-steps": 4},
    },
    "parameters": {"wait": 0},
    # besides what schemathesis takes for well by itself: a source that left the configuration is known by its name
    "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "404", "409", "410"]}},
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("api")) as made:
        yield made


def found(stack: Stack, **settings: Any) -> tuple[list[str], set[int]]:
    """What schemathesis finds, in words; and the statuses that it was answered with."""
    headers = {"Authorization": f"Bearer {stack.token}"}
    config = Config.from_dict({**SETTINGS, "headers": headers, **settings})
    schema = schemathesis.openapi.from_url(f"{stack.url}/openapi.json", config=config)
    words, statuses = list[str](), set[int]()
    for event in from_schema(schema).execute():
        match event:
            case events.ScenarioFinished():
                for interaction in event.recorder.interactions.values():
                    if interaction.response is not None:
                        statuses.add(interaction.response.status_code)
                for checks in event.recorder.checks.values():
                    for check in checks:
                        if check.status == Status.FAILURE:
                            info = check.failure_info
                            words.append(
                                f"{event.recorder.label}: {info and info.failure}\n{info and info.code_sample}"
                            )
            case events.NonFatalError():
                words.append(f"error: {event.info}")
            case events.FatalError():
                raise event.exception
            case _:
                pass
    return words, statuses


# schemathesis leaves its connections to Python's garbage collection
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_api_is_as_it_is_described(stack: Stack) -> None:
    words, statuses = found(stack)
    gc.collect()
    assert not words, "\n\n".join(words)
    assert {200, 400, 404, 405} <= statuses
