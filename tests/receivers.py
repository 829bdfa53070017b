"""Receivers of webhooks on loopback, that are down, slow or out of sorts when told to be."""

import json
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, NamedTuple

from standardwebhooks import Webhook
from webserver import Reply, Request, Web, Wire

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Got(NamedTuple):
    id: str
    type: str
    data: dict[str, Any]

    @property
    def changes(self) -> list[tuple[int, int]]:
        """(entry, change) of each that it tells."""
        each = self.data.get("changes") or [self.data]
        return [((one.get("entry") or {"id": 0})["id"], one["change"]["id"]) for one in each]


class Receiver:
    """Takes webhooks at `url`; `mood` says how: well, down, slow, wrong, broken, gone."""

    def __init__(self, web: Web, path: str = "/hook") -> None:
        self.url = web.url + path
        self.mood = "well"
        self.verifier = Webhook(SECRET)
        self.got: list[Got] = []
        self.refused = 0
        self.guard = threading.Lock()
        web.script(path, self.answer)

    def answer(self, request: Request) -> Any:
        mood = self.mood
        if mood in {"well", "slow"}:
            self.take(request)
            if mood == "slow":
                return late
            return Reply(status=204)
        with self.guard:
            self.refused += 1
        if mood == "broken":  # it heard everything, and the answer is lost
            self.take(request)
            return hung_up
        return Reply("no", 410 if mood == "gone" else 500)

    def take(self, request: Request) -> None:
        """Check the signature, whatever the clock says, and keep the message."""
        name, body = request.headers["webhook-id"], request.body.decode()
        at = datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), UTC)
        assert request.headers["webhook-signature"] == self.verifier.sign(name, at, body)
        said = json.loads(body)
        with self.guard:
            self.got.append(Got(name, said["type"], said["data"]))


def hung_up(_: Wire) -> None:
    """The connection ends without an answer."""


def late(wire: Wire) -> None:
    wire.stopping.wait(0.3)
    wire.send(b"HTTP/1.1 204 No Content\r\n\r\n")


def once(got: Iterable[Got]) -> list[Got]:
    """Each message once, as a receiver does that drops repeats."""
    seen = dict[str, Got]()
    for each in got:
        assert seen.setdefault(each.id, each).data == each.data
    return list(seen.values())


def told(got: Iterable[Got]) -> list[int]:
    """The changes that were told, sorted; each entry's came in order."""
    changes = [change for each in once(got) for change in each.changes]
    for _, some in groupby(sorted(changes, key=lambda each: each[0]), lambda each: each[0]):
        numbers = [number for _, number in some]
        assert numbers == sorted(numbers)
    return sorted(number for _, number in changes)


def lines(text: str) -> list[Got]:
    """The messages of JSON Lines; the last line may be cut off."""
    made = []
    for line in text.splitlines():
        try:
            said = json.loads(line)
        except ValueError:
            continue
        made.append(Got(said["id"], said["type"], said["data"]))
    return made
