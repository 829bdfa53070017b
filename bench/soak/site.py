"""The web of the play, and its folders: `python -m bench.soak.site SEED SOURCES FOLDER` prints its port.

Lines on standard input conduct it: `begin` begins the play, `calm` ends it, so that all answers are good ones; the end
of input ends the process. It keeps a ledger, FOLDER/ledger.jsonl, a JSON list a line:

    ["sent", source, at, [[key, edition, stated], …]]   what a document or a folder holds, once it was sent or written
    ["article", source, at, [key, edition, stated]]     of a sitemap
    ["failed", source, at, fate]                        a request that did not go well
    ["well", source, at]                                the first after it that did
    ["begun", "", at]                                   the play
    ["act", source, at, act]
    ["hook", id, at, type, change]                       a webhook that was taken; "refused" in place of "hook": one that was not
    ["push", "", at, bytes]                             from the WebSub hub
"""

import asyncio
import hashlib
import json
import random
import sys
import time
from email.utils import formatdate
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from standardwebhooks import Webhook

from bench.hooks import SECRET
from bench.soak import documents, play
from bench.soak.play import Act, Fate, Held, Item, Kind, Source, Validator
from feedd.sources.seedfile import Seed, render

STEP_S = 0.25
ACTS_APART_S = 30.0  # of one source, on average
HANG_S = 20.0  # longer than feedd waits, who waits for what a busy machine may take
LARGEST_REQUEST = 4_000_000
REFUSED_PART, SLOW_PART = 0.06, 0.02  # of webhooks
CUT = b"\0cut"  # where an answer ends too early
BROKEN = frozenset({Fate.HANG, Fate.RESET})
REFUSALS = {Fate.ERROR: 500, Fate.AWAY: 503, Fate.BUSY: 429, Fate.GONE: 410, Fate.MISSING: 404}
BEGAN_S = 1_700_000_000  # from which Last-Modified counts


class Site:
    def __init__(self, seed: int, count: int, folder: Path) -> None:
        self.dice = random.Random(seed)
        self.folder = folder
        self.sources = {source.name: source for source in play.sources(count, self.dice)}
        now_s = time.time()
        self.held = {name: play.beginning(source, now_s) for name, source in self.sources.items()}
        self.versions = dict.fromkeys(self.sources, 0)  # how often each changed
        self.last_sent: dict[str, object] = {}
        self.ailing = set[str]()  # sources whose last request did not go well
        self.began_s: float | None = None
        self.is_calm = False
        self.port = 0
        self.ledger = (folder / "ledger.jsonl").open("a", buffering=1)
        self.verifier = Webhook(SECRET)

    @property
    def hour(self) -> float | None:
        """Of the play; None before it."""
        return None if self.began_s is None else (time.time() - self.began_s) / play.HOUR_S

    def note(self, what: str, *values: object) -> None:
        self.ledger.write(json.dumps([what, *values]) + "\n")

    def note_sent(self, source: Source, held: Held) -> None:
        holds = [[item.key, item.edition, item.stated_s] for item in held.items]
        if self.last_sent.get(source.name) != holds:
            self.last_sent[source.name] = holds
            self.note("sent", source.name, time.time(), holds)

    # what happens by itself

    async def act(self) -> None:
        """Change what sources hold, at random, as long as the play lasts."""
        names = list(self.sources)
        while not self.is_calm:
            await asyncio.sleep(STEP_S)
            for _ in range(round(len(names) * STEP_S / ACTS_APART_S + self.dice.random() - 0.5)):
                name = self.dice.choice(names)
                source, before = self.sources[name], self.held[name]
                if (done := play.following(source, before, self.dice, time.time())) is not None:
                    self.take(source, before, *done)

    def take(self, source: Source, before: Held, act: Act, held: Held) -> None:
        self.held[source.name] = held
        self.versions[source.name] += 1
        self.note("act", source.name, time.time(), act)
        self.write(source, before, held)

    def write(self, source: Source, before: Held, held: Held) -> None:
        """Bring the files of a folder, or of a program, from one state to another; the ledger first."""
        if source.kind is Kind.COMMAND:
            self.note_sent(source, held)
            written = documents.document(source, held.items, self.port, "")
            replace(self.folder / f"{source.name}.jsonl", written)
        elif source.kind is Kind.FOLDER:
            self.note_sent(source, held)
            folder = self.folder / source.name
            folder.mkdir(exist_ok=True)
            old, new = ({item.key: item for item in each.items} for each in (before, held))
            for key in old.keys() | new.keys():
                rewrite(folder, source, old.get(key), new.get(key))

    # what is asked for

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                first, *lines = head.split("\r\n")
                method, path, _ = first.split(" ", 2)
                headers = {
                    name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
                }
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                answer = await self.answer(method, path, headers, body)
                if answer is None:
                    writer.transport.abort()
                    return
                writer.write(answer)
                await writer.drain()
                if answer.endswith(CUT):
                    return
        except (OSError, asyncio.IncompleteReadError, ValueError):
            return
        finally:
            writer.close()

    async def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> bytes | None:
        """The answer; None: the connection breaks."""
        parts = [part for part in urlsplit(path).path.split("/") if part]
        match [method, *parts]:
            case ["POST", "hook"]:
                return await self.hook(headers, body)
            case ["POST", "pushed"]:
                self.note("push", "", time.time(), len(body))
                return spelled(204)
            case ["GET", "pushed"]:
                return spelled(200, parse_qs(urlsplit(path).query)["hub.challenge"][0].encode())
            case ["GET", "old", name]:
                return spelled(302, location=f"/{name}")
            case ["GET", "articles", name, key] if name in self.sources:
                return self.article(self.sources[name], int(key))
            case ["GET", name] if name in self.sources:
                return await self.document(self.sources[name], headers)
            case _:
                return spelled(404)

    async def hook(self, headers: dict[str, str], body: bytes) -> bytes:
        chance = 1.0 if self.is_calm else self.dice.random()
        said = self.verifier.verify(body, headers)
        came = (headers["webhook-id"], time.time(), said["type"], said["data"]["change"]["id"])
        if chance < REFUSED_PART:
            self.note("refused", *came)
            return spelled(500)
        if chance < REFUSED_PART + SLOW_PART:
            await asyncio.sleep(1)
        self.note("hook", *came)
        return spelled(204)

    def fate(self, source: Source) -> Fate:
        if self.hour is None:
            return Fate.WELL
        if self.is_calm:
            return Fate.GONE if play.is_leaving(source) and self.hour >= play.GONE_FROM else Fate.WELL
        return play.fate(source, self.hour, self.dice)

    def article(self, source: Source, key: int) -> bytes | None:
        if self.fate(source) is Fate.RESET:
            return None
        item = next((item for item in self.held[source.name].items if item.key == key), None)
        if item is None:
            return spelled(404)
        self.note("article", source.name, time.time(), [item.key, item.edition, item.stated_s])
        return spelled(
            200, documents.article(source, item, str(self.dice.random())).encode(), type="text/html"
        )

    async def document(self, source: Source, headers: dict[str, str]) -> bytes | None:
        fate, held = self.fate(source), self.held[source.name]
        if fate not in {Fate.WELL, Fate.MISLABELLED}:
            self.ailing.add(source.name)
            self.last_sent.pop(source.name, None)  # what comes after it counts, be it what it was
            self.note("failed", source.name, time.time(), fate)
        elif source.name in self.ailing:
            self.ailing.discard(source.name)
            self.note("well", source.name, time.time())
        if fate is Fate.HANG:
            await asyncio.sleep(HANG_S)
        if fate in BROKEN:
            return None
        if fate in REFUSALS:
            rest = {"retry_after": str(self.dice.randint(3, 20))} if fate is Fate.BUSY else {}
            return spelled(REFUSALS[fate], b"<html>Not now</html>", type="text/html", **rest)
        kind = documents.TYPES.get(source.kind, "text/html; charset=utf-8")
        body = documents.document(source, held.items, self.port, str(self.dice.random()))
        if fate is Fate.NONSENSE and source.kind is not Kind.WATCH:
            return spelled(200, b"<html><body>Please log in</body></html>", type="text/html")
        if fate in {Fate.TRUNCATED, Fate.NONSENSE}:
            return spelled(200, body, type=kind)[: -len(body) // 2] + CUT
        if fate is Fate.MISLABELLED:
            kind = f"{kind}; charset=iso-8859-1"
        validators = self.validators(source, held.items)
        if is_known(validators, headers):
            return spelled(304, b"", **validators)
        self.note_sent(source, held)
        return spelled(200, body, type=kind, **validators)

    def validators(self, source: Source, items: tuple[Item, ...]) -> dict[str, str]:
        match source.validator:
            case Validator.ETAG:
                return {"etag": f'"{hashlib.sha256(repr(items).encode()).hexdigest()[:16]}"'}
            case Validator.MODIFIED:  # of so many seconds that no two states share one
                return {"last_modified": formatdate(BEGAN_S + self.versions[source.name], usegmt=True)}
            case Validator.NONE:
                return {}


def is_known(validators: dict[str, str], headers: dict[str, str]) -> bool:
    if "etag" in validators:
        return validators["etag"] == headers.get("if-none-match")
    return "last_modified" in validators and validators["last_modified"] == headers.get("if-modified-since")


def rewrite(folder: Path, source: Source, old: Item | None, new: Item | None) -> None:
    """Add, write anew, rename or delete one file."""
    before, after = (folder / f"{item.key}-{item.path}.md" if item else None for item in (old, new))
    if new is None or after is None:
        assert before is not None
        before.unlink()
    elif before is not None and before != after:
        before.rename(after)
    elif old != new:
        assert new.stated_s is not None
        seed = Seed(
            new.stated_s * 1000,
            documents.title(source, new),
            documents.link(source, 0, new),
            documents.text(source, new),
        )
        replace(after, render(seed).encode())


def replace(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    partial.replace(path)


def spelled(status: int, body: bytes = b"", /, **headers: str) -> bytes:
    """An answer as HTTP/1.1 spells it; `type` is the content's."""
    names = {"type": "content-type"}
    length = {} if status in {204, 304} else {"content-length": str(len(body))}
    lines = [
        f"{names.get(name, name.replace('_', '-'))}: {value}" for name, value in (headers | length).items()
    ]
    return "\r\n".join([f"HTTP/1.1 {status} So", *lines, "", ""]).encode("latin-1") + body


async def main(seed: int, count: int, folder: Path) -> None:
    site = Site(seed, count, folder)
    server = await asyncio.start_server(site.serve, "0.0.0.0", 0, limit=LARGEST_REQUEST)
    site.port = server.sockets[0].getsockname()[1]
    for name, source in site.sources.items():
        site.write(source, Held(()), site.held[name])
    print(site.port, flush=True)
    loop, acting = asyncio.get_running_loop(), None
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        match line.strip():
            case "begin":
                site.began_s = time.time()
                site.note("begun", "", site.began_s)
                acting = asyncio.create_task(site.act())
            case "calm":
                site.is_calm = True
    if acting is not None:
        await acting


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
