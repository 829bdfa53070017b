"""Pages of the application, asked for without a server: what a browser would get, as a tree."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from lxml import html

from feedd.publish.cache import Feeds
from feedd.web.app import application

BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


class Pages:
    def __init__(self, feeds: Feeds, client: httpx.AsyncClient, runner: asyncio.Runner) -> None:
        self.feeds = feeds
        self.client = client
        self.runner = runner

    def get(self, path: str, method: str = "GET", **headers: str) -> httpx.Response:
        """What is raised within comes out."""
        return self.runner.run(self.client.request(method, path, headers={"Accept": BROWSER, **headers}))

    def page(self, path: str, status: int = 200, language: str = "en") -> Any:
        """The page, which holds nothing that runs and loads nothing of others; as a tree."""
        found = self.get(path, **{"Accept-Language": language})
        assert found.status_code == status, found.text
        assert found.headers["content-type"] == "text/html; charset=utf-8"
        (policy,) = found.headers.get_list("content-security-policy")
        assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self';")
        tree = html.document_fromstring(found.text)
        assert not tree.xpath("//main//script | //main//video | //main//audio | //main//iframe | //*[@style]")
        assert not [name for each in tree.iter() for name in each.attrib if name.startswith("on")]
        assert len(tree.xpath("//h1")) == 1
        return tree


@contextmanager
def pages_of(feeds: Feeds) -> Iterator[Pages]:
    transport = httpx.ASGITransport(application(feeds))
    client = httpx.AsyncClient(transport=transport, base_url="http://feeds.example")
    with asyncio.Runner() as runner:
        yield Pages(feeds, client, runner)
        runner.run(client.aclose())


def words(tree: Any) -> str:
    return " ".join(tree.text_content().split())


def hrefs(tree: Any) -> list[str]:
    return [str(each) for each in tree.xpath("//a/@href")]
