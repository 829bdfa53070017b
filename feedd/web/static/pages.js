// What makes the pages better where scripts run; all of them work without it.
"use strict";

const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// Live: what is marked `data-live` is taken anew from the page itself when something changed.
const SOON_MS = 1500; // after a change, together with those that follow it …
const LATER_MS = 20_000; // … and less and less often, while changes keep coming
const QUIET_MS = 60_000;
const KINDS = ["added", "edited", "silent-edit", "reverted", "removed", "restored", "source-failing",
  "source-recovered", "source-paused", "source-silent", "source-moved"];
const regions = () => all("[data-live][id]");
const shown = new Map(regions().map((region) => [region.id, region.innerHTML])); // as the server made them
let waiting = 0, pause = SOON_MS, refreshed = 0;

async function refresh() { // whether all that is live is as the server has it, or need not be asked for again
  const answer = await fetch(location.href, { credentials: "same-origin", headers: { Accept: "text/html" } });
  if (!answer.ok) return answer.status < 500 && answer.status !== 429;
  let isWhole = true;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (fresh.documentElement.lang !== document.documentElement.lang) { location.reload(); return true; }
  for (const old of regions()) {
    const now = fresh.getElementById(old.id);
    if (!now || now.innerHTML === shown.get(old.id)) continue;
    if (isInUse(old)) isWhole = false;
    else swap(old, now);
  }
  return isWhole;
}

function isInUse(region) { // somebody types there, or has selected text: it is swapped another time
  const active = document.activeElement, selection = getSelection();
  return (region.contains(active) && active.matches("input, select, textarea"))
    || (!selection.isCollapsed && region.contains(selection.anchorNode));
}

const named = (element) => [element.tagName, element.id, element.getAttribute("href"), element.getAttribute("aria-label"),
  element.closest("form")?.action, element.textContent.trim()].join("\n");

function swap(old, now) {
  const active = document.activeElement, focused = old.contains(active) ? named(active) : null;
  const known = new Set(all("a[href]", old).map((link) => link.href));
  const here = one(".here a[href]", old)?.href, opened = all("details", old).map((each) => each.open);
  const made = document.importNode(now, true);
  shown.set(made.id, now.innerHTML);
  all("details", made).forEach((each, place) => { each.open ||= opened[place] ?? false; });
  old.replaceWith(made);
  for (const row of all("li, tr", made)) {
    const link = one("a[href]", row);
    if (link && !known.has(link.href)) row.classList.add("arrived");
    if (link && here === link.href && row.matches("[data-row]")) row.classList.add("here");
  }
  if (focused) all("a, button, summary", made).find((each) => named(each) === focused)?.focus({ preventScroll: true });
  tidy(made);
}

function soon() {
  if (waiting) return;
  pause = Date.now() - refreshed > QUIET_MS ? SOON_MS : Math.min(2 * pause, LATER_MS);
  waiting = setTimeout(() => {
    waiting = 0;
    refreshed = Date.now();
    refresh().catch(() => false).then((isWhole) => { if (!isWhole) soon(); });
  }, pause);
}

// One page of a browser listens for all of them, since it opens few connections to a host; one that nobody sees
// holds none.
const channel = "BroadcastChannel" in window ? new BroadcastChannel("feedd") : null;
let leave = null, stream = null, retry = 0, timers = [], hasHeard = false;

function say(isLive) {
  const said = one("#live");
  said.textContent = isLive ? said.dataset.on : said.dataset.off;
}

function tell(what) {
  hear(what);
  channel?.postMessage(what);
}

function hear(what) {
  if (what === "change") { if (leave && regions().length) soon(); }
  else if (what === "who") { if (stream?.readyState === EventSource.OPEN) channel.postMessage("here"); }
  else if (leave) {
    say(what !== "off");
    if (what === "on" && hasHeard) soon(); // a new stream knows nothing of what came before it
    hasHeard = true;
  }
}

function open(wait = 2000) {
  stream = new EventSource("/events");
  stream.onopen = () => { wait = 2000; tell("on"); };
  stream.onerror = () => {
    tell("off");
    if (stream.readyState !== EventSource.CLOSED) return; // it tries again by itself
    retry = setTimeout(open, wait, Math.min(2 * wait, 60_000));
  };
  for (const kind of KINDS) stream.addEventListener(kind, () => tell("change"));
}

function listen() {
  if (leave || document.hidden || !regions().length) return;
  let mine = null;
  const done = new Promise((resolve) => { leave = mine = resolve; });
  const lead = () => { if (leave !== mine) return null; open(); return done; };
  if (channel && navigator.locks) navigator.locks.request("feedd", lead); // the next one takes over
  else lead();
  channel?.postMessage("who");
  const seconds = regions().map((region) => Number(region.dataset.live)).filter(Boolean);
  if (seconds.length) timers.push(setInterval(soon, 1000 * Math.min(...seconds)));
}

function rest() {
  stream?.close();
  stream = null;
  clearTimeout(retry);
  timers.forEach(clearInterval);
  timers = [];
  leave?.();
  leave = null;
}

if (channel) channel.onmessage = (event) => hear(event.data);
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
  if (navigator.clipboard) await navigator.clipboard.writeText(button.dataset.copy);
  else copyAsText(button);
  const before = button.textContent;
  button.textContent = button.dataset.done;
  setTimeout(() => { button.textContent = before; }, 2000);
}

function copyAsText(button) { // over plain http there is no clipboard but for what is selected
  const field = document.createElement("textarea");
  field.value = button.dataset.copy;
  button.after(field);
  field.select();
  document.execCommand("copy");
  field.remove();
  button.focus();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.hasAttribute("data-copy")) copy(button).catch(() => {});
  else if (button?.hasAttribute("data-keys")) showKeys();
  else if (button?.dataset.step) step("[data-change]", Number(button.dataset.step), true);
});

function tidy(root) {
  all("[data-keys], [data-step], [data-copy]", root).forEach((button) => { button.hidden = false; });
  for (const time of all("time[datetime]", root)) time.title ||= new Date(time.dateTime).toLocaleString();
}

tidy(document);
listen();
