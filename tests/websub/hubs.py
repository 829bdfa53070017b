"""A hub on loopback, and a feedd that subscribes at it: both real, with a clock that is set by hand."""

import asyncio
import hmac
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode

import httpx
from net import RSS, Net, rss
from starlette.applications import Starlette
from webserver import Reply, Request

from feedd.config.load import load
from feedd.config.settings import Config
from feedd.config.sources import FeedSource
from feedd.looks import Looked
from feedd.pipeline import Looker, looker
from feedd.store import subscriptions
from feedd.store.bell import Bell
from feedd.store.desk import Desk
from feedd.store.subscriptions import Subscription
from feedd.web.push import routes
from feedd.web.server import bind, server
from feedd.websub.inbox import Inbox, Take
from feedd.websub.subscriber import Subscriber
from feedd.wiring import prepare

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Hub:
    """What other software would be: it takes requests, verifies, pushes."""

    def __init__(self, net: Net, *, verifies: bool = True) -> None:
        self.net = net
        self.url = net.web.script("/hub", self.asked)
        self.topic = f"{net.web.url}/feed.xml"
        self.forms: list[dict[str, str]] = []
        self.verifies = verifies
        self.lease_s: int | None = 864_000
        self.reply = Reply("", 202)
        self.answers: list[httpx.Response] = []

    def asked(self, request: Request) -> Reply:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        self.forms.append(form)
        if self.reply.status == 202 and self.verifies:
            self.verify(form)
        return self.reply

    @property
    def form(self) -> dict[str, str]:
        return self.forms[-1]

    def verify(self, form: dict[str, str] | None = None, /, **changed: str) -> httpx.Response:
        form = form or self.form
        query = {
            "hub.mode": form["hub.mode"],
            "hub.topic": form["hub.topic"],
            "hub.challenge": "a challenge",
        }
        if self.lease_s is not None:
            query["hub.lease_seconds"] = str(self.lease_s)
        query |= {f"hub.{name}": value for name, value in changed.items()}
        answer = httpx.get(f"{form['hub.callback']}?{urlencode(query)}", trust_env=False, verify=False)
        self.answers.append(answer)
        return answer

    def push(
        self,
        body: str | bytes,
        *,
        method: str = "sha256",
        secret: str | None = None,
        headers: dict[str, str] | None = None,
        form: dict[str, str] | None = None,
    ) -> httpx.Response:
        content = body.encode() if isinstance(body, str) else body
        form = form or self.form
        key = secret if secret is not None else self.forms[0]["hub.secret"]
        signature = hmac.new(key.encode(), content, method).hexdigest()
        sent = {"Content-Type": RSS, "X-Hub-Signature": f"{method}={signature}", **(headers or {})}
        return httpx.post(
            form["hub.callback"],
            content=content,
            headers={name: value for name, value in sent.items() if value},
            trust_env=False,
            verify=False,
            timeout=30,
        )

    def document(self, *items: str) -> str:
        """A feed that names the hub."""
        return rss(
            *items,
            head=f"<a:link xmlns:a='http://www.w3.org/2005/Atom' rel='hub' href='{self.url}'/>"
            f"<a:link xmlns:a='http://www.w3.org/2005/Atom' rel='self' href='{self.topic}'/>",
        )

    def serve(self, *items: str, **more: Any) -> None:
        self.net.web.page("/feed.xml", self.document(*items), type=RSS, **more)


class Clock:
    """The subscriber's."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000 + self.ahead_ms


class Peer(NamedTuple):
    """feedd, as far as it subscribes."""

    config: Config
    desk: Desk
    looker: Looker
    subscriber: Subscriber
    inbox: Inbox
    clock: Clock

    @property
    def source(self) -> FeedSource:
        source = self.config.source("a")
        assert isinstance(source, FeedSource)
        return source

    async def look(self) -> Looked:
        looked = await self.looker.look(self.source)
        assert looked.error is None, looked
        return looked

    async def rows(self) -> list[Subscription]:
        return await self.desk.do(subscriptions.every)

    async def row(self) -> Subscription:
        (row,) = await self.rows()
        return row

    async def state(self) -> str:
        return (await self.row()).state

    async def subscribed(self) -> None:
        """A look, a request, and what the hub makes of it."""
        await self.look()
        await self.tend()

    async def tend(self) -> None:
        """A round, to its end."""
        await self.subscriber.tend()
        await asyncio.gather(*self.subscriber.working.values())


@asynccontextmanager
async def feedd(
    net: Net, *, patience_s: float = 25.0, take: Callable[[Take], Take] | None = None
) -> AsyncIterator[Peer]:
    """feedd over the configuration of `net`; `take` may wrap how pushes are recorded."""
    config, clock = load(net.config), Clock()
    with Desk(net.database) as desk:
        await asyncio.to_thread(prepare, desk, config)
        async with looker(config, desk, threading.Event(), hears_pushes=True) as made:
            takes = take(made.take) if take else made.take
            inbox = Inbox(config, desk, takes, clock=clock, patience_s=patience_s)
            kit = made.windows.tools
            subscriber = Subscriber(config, desk, kit.fetcher, kit.user_agent, Bell(), clock=clock)
            web = server(Starlette(routes=list(routes(inbox))))
            listening = bind(config.server.listen)
            serving = asyncio.create_task(web.serve(sockets=[listening]))
            try:
                yield Peer(config, desk, made, subscriber, inbox, clock)
            finally:
                await inbox.close()
                web.should_exit = True
                await serving
                listening.close()
        await asyncio.sleep(0.02)  # connections end in the loop's next rounds


def source_of(net: Net, settings: str = "", server_toml: str = "") -> None:
    """One source `a`, in a network of its own."""
    net.feed(settings=f"allow_private = true\n{settings}")
    if server_toml:
        text = net.config.read_text().replace("[server]\n", f"[server]\n{server_toml}\n", 1)
        net.config.write_text(text)
