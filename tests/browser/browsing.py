"""A real browser in tests: Debian's Chromium, driven by Playwright."""

import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

import pytest
from playwright.sync_api import Browser, Dialog, Request, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
# no sandbox: in CI all is root's; no name is resolved: nothing that a test shows leaves the machine
FLAGS = (
    "--no-sandbox",
    *"--disable-gpu --disable-quic --disable-dev-shm-usage --disable-background-networking".split(),
    *"--disable-component-update --disable-sync --no-first-run".split(),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
AUDIT, FRAMED = (
    Path(__file__).with_name(name).read_text(encoding="utf-8") for name in ("audit.js", "framed.js")
)
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
STANDARDS = [
    "wcag2a",
    "wcag2aa",
    "wcag21a",
    "wcag21aa",
    "wcag22aa",
    "best-practice",
]  # rules of axe-core, by their tags
# Runs before anything of a page; nothing that comes later can take it back. What hostile texts run is `canary`.
LISTENING = """(() => {
  const heard = [], fixed = (name, value) => Object.defineProperty(window, name, { value });
  fixed("heard", heard);
  fixed("canary", () => { heard.push(`ran: ${document.currentScript ? "a script" : "a handler or an address"}`); });
  addEventListener("securitypolicyviolation", (event) => {
    heard.push(`only the policy stopped ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`);
  }, true);
  addEventListener("error", (event) => { if (event instanceof ErrorEvent) heard.push(`failed: ${event.message}`); });
})();"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Skips the test where there is none. A module names this its own: `browser = browsing.browser`.

    No longer than a module, since other tests of the process can't run a loop while Playwright's runs.
    """
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("no Chromium: apt install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield started
        started.close()


class Tab:
    """A page in a context of its own, and what happens in it that nobody asked for."""

    def __init__(self, browser: Browser, url: str, **settings: Any) -> None:
        self.url = url
        self.context = browser.new_context(base_url=url, **settings)
        self.context.add_init_script(LISTENING)
        self.page = self.context.new_page()
        self.happened = defaultdict[str, list[str]](list)  # by the name of the frame
        self.context.on("request", self.note_request)
        self.context.on("page", lambda page: self.happened[""].append(f"opened {page.url}"))
        self.page.on("dialog", self.note_dialog)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def note_request(self, request: Request) -> None:
        if request.url.startswith((f"{self.url}/", "data:")):
            return
        frame = request.frame
        while not frame.name and frame.parent_frame:
            frame = frame.parent_frame
        self.happened[frame.name].append(f"asked for {request.resource_type} {request.url[:200]}")

    def note_dialog(self, dialog: Dialog) -> None:
        self.happened[""].append(f"opened a dialog: {dialog.message}")
        dialog.dismiss()

    def visit(self, path: str) -> list[str]:
        """Go there and wait until all is loaded; what is wrong with the page and what it did."""
        answer = self.page.goto(path)
        assert answer is not None
        status = [] if answer.ok else [f"answers {answer.status}"]
        found: list[str] = [*status, *self.page.evaluate(AUDIT), *self.happened.pop("", ())]
        moved = [] if self.page.url == self.url + path else [f"went to {self.page.url}"]
        return found + moved

    def violations(self) -> list[str]:
        """What axe-core finds on the page that is open: rule, element, why."""
        self.page.evaluate(AXE)
        run = "(tags) => axe.run(document, { runOnly: tags, resultTypes: ['violations'] })"
        result = self.page.evaluate(run, STANDARDS)
        return [
            f"{rule['id']}: {node['html'][:200]}: {node['failureSummary']}"
            for rule in result["violations"]
            for node in rule["nodes"]
        ]

    def visit_framed(self, paths: Iterable[str], width: int) -> dict[str, list[str]]:
        """The same of many pages, as a browser without the site's policy would show them: quicker, and stricter."""
        empty = f"{self.url}/empty"
        self.context.route(
            empty, lambda route: route.fulfill(body="<!doctype html>", content_type="text/html")
        )
        self.page.goto(empty)
        self.context.unroute(empty)
        found: dict[str, list[str]] = self.page.evaluate(FRAMED, [AUDIT, list(paths), width])
        for path, said in self.happened.items():
            found[path] = [*found.get(path, ()), *said]
        self.happened.clear()
        return found
