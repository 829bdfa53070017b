// What makes the pages better where scripts run; all of them work without it.
"use strict";

const REFRESH_MS = 1500; // after a change, together with those that follow it
const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// Live: what is marked `data-live` is taken anew from the page itself when something changed.
const regions = () => all("[data-live][id]");
let stream = null, waiting = 0, timers = [];

async function refresh() {
  waiting = 0;
  const answer = await fetch(location.href, { credentials: "same-origin", headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const old of regions()) {
    const now = fresh.getElementById(old.id);
    if (!now || now.innerHTML === old.dataset.shown || now.innerHTML === old.innerHTML) continue;
    if (old.contains(document.activeElement) && document.activeElement.matches("input, select, textarea")) continue;
    swap(old, now);
  }
}

function swap(old, now) {
  const known = new Set(all("a[href]", old).map((link) => link.href));
  const here = one(".here a[href]", old)?.href, focused = document.activeElement?.href;
  const made = document.importNode(now, true);
  made.dataset.shown = now.innerHTML;
  old.replaceWith(made);
  for (const row of all("li, tr", made)) {
    const link = one("a[href]", row);
    if (link && !known.has(link.href)) row.classList.add("arrived");
    if (link && here === link.href && row.matches("[data-row]")) row.classList.add("here");
  }
  if (focused) all("a[href]", made).find((link) => link.href === focused)?.focus({ preventScroll: true });
  tidy(made);
}

function soon() {
  if (!waiting) waiting = setTimeout(() => refresh().catch(() => { waiting = 0; }), REFRESH_MS);
}

function listen() {
  if (stream || document.hidden || !regions().length) return;
  const said = one("#live");
  stream = new EventSource("/events");
  stream.onopen = () => { said.textContent = said.dataset.on; };
  stream.onerror = () => { said.textContent = said.dataset.off; };
  for (const kind of ["added", "edited", "silent-edit", "reverted", "removed", "restored", "source-failing",
    "source-recovered", "source-paused", "source-silent", "source-moved"]) stream.addEventListener(kind, soon);
  stream.onmessage = soon;
  const seconds = regions().map((region) => Number(region.dataset.live)).filter(Boolean);
  if (seconds.length) timers.push(setInterval(soon, 1000 * Math.min(...seconds)));
}

function rest() { // a page that nobody sees holds no connection
  stream?.close();
  stream = null;
  timers.forEach(clearInterval);
  timers = [];
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) rest();
  else { listen(); if (regions().length) soon(); }
});
addEventListener("pagehide", rest);
addEventListener("pageshow", listen);

// Keyboard
const step = (selector, by, mark) => {
  const rows = all(selector).filter((row) => row.getClientRects().length);
  if (!rows.length) return;
  const here = rows.findIndex((row) => row.classList.contains("here"));
  const at = here < 0 ? rows.findIndex((row) => row.matches(":target")) : here;
  const next = rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by))];
  all(".here").forEach((row) => row.classList.remove("here"));
  next.classList.add("here");
  next.scrollIntoView({ block: "center", behavior: "auto" });
  const link = one("a[href]", next);
  if (mark) { next.tabIndex = -1; next.focus({ preventScroll: true }); } else link?.focus({ preventScroll: true });
};
addEventListener("hashchange", () => all("[data-change].here").forEach((row) => row.classList.remove("here")));
const PLACES = { h: "/", c: "/changes", s: "/sources", f: "/feeds", d: "/deliveries" };
let going = 0;

function showKeys() {
  const keys = one("#keys");
  if (!keys.open) keys.showModal();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || one("dialog[open]")) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const isGoing = Date.now() - going < 1500;
  going = 0;
  if (isGoing && PLACES[event.key]) { location.assign(PLACES[event.key]); return; }
  switch (event.key) {
    case "j": step("[data-row]", 1, false); break;
    case "k": step("[data-row]", -1, false); break;
    case "n": step("[data-change]", 1, true); break;
    case "p": step("[data-change]", -1, true); break;
    case "g": going = Date.now(); break;
    case "/": (one("#q") || one("#find"))?.focus(); break;
    case "?": showKeys(); break;
    default: return;
  }
  event.preventDefault();
});

// Buttons that only a script can serve are hidden without it.
async function copy(button) {
  await navigator.clipboard.writeText(button.dataset.copy);
  const before = button.textContent;
  button.textContent = button.dataset.done;
  setTimeout(() => { button.textContent = before; }, 2000);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.hasAttribute("data-copy")) copy(button).catch(() => {});
  else if (button?.hasAttribute("data-keys")) showKeys();
  else if (button?.dataset.step) step("[data-change]", Number(button.dataset.step), true);
});

function tidy(root) {
  all("[data-keys], [data-step]", root).forEach((button) => { button.hidden = false; });
  if (navigator.clipboard) all("[data-copy]", root).forEach((button) => { button.hidden = false; });
  for (const time of all("time[datetime]", root)) time.title ||= new Date(time.dateTime).toLocaleString();
}

tidy(document);
listen();
