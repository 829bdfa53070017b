// What is wrong with the page that is open, in words: [] where all is well. Runs in the page (see browsing.py).
async () => {
  const words = (text) => new Set(text.split(" "));
  const TAGS = words("a abbr address article aside b bdi bdo blockquote br caption center cite code col colgroup dd del details"
    + " dfn div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li mark ol p pre q rp rt ruby s"
    + " samp section small span strong sub summary sup table tbody td tfoot th thead time tr u ul var wbr");
  const FREE = words("alt cite colspan datetime dir height href lang rowspan src start title width");
  const FIXED = { // attributes that the page itself gives to elements of an article, and their values
    "aria-label": words("Table 表格"), class: words("picture scroll"), decoding: words("async"), loading: words("lazy"),
    referrerpolicy: words("no-referrer"), rel: new Set(["noreferrer nofollow ugc"]), role: words("group"), tabindex: words("0"),
  };
  const SCHEMES = words("http: https: mailto: tel:");
  const NEVER = "applet, base, embed, fencedframe, frame, frameset, iframe, marquee, meta[http-equiv], object, portal, style";
  const problems = [];
  const shown = (each) => each.cloneNode(false).outerHTML.slice(0, 200);
  const wrong = (what, each) => problems.push(`${what}: ${shown(each)}`);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const own = (address) => new URL(address, document.baseURI).origin === window.origin;
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));

  // the whole page
  all(NEVER).forEach((each) => wrong("has no place in a page", each));
  for (const each of all("script, link[rel=stylesheet], link[rel=icon]")) {
    const address = each.getAttribute("src") ?? each.getAttribute("href");
    if (!address || !own(address)) wrong("is not the site's own", each);
  }
  for (const each of all("form, [formaction]")) {
    if (!own(each.getAttribute("formaction") ?? each.getAttribute("action") ?? "")) wrong("sends to elsewhere", each);
  }
  for (const each of all("*")) {
    for (const { name } of each.attributes) {
      if (/^(on.*|style|srcdoc|ping|background)$/i.test(name)) wrong(`carries ${name}`, each);
    }
  }
  for (const each of all("a[href], area[href]")) {
    const { protocol } = URL.canParse(each.href) ? new URL(each.href) : { protocol: "https:" }; // such leads nowhere
    if (!SCHEMES.has(protocol) && !each.href.startsWith(`feed:${window.origin}/`)) wrong("leads to what is no page", each);
  }
  const ids = all("[id]").map((each) => each.id);
  ids.filter((id, at) => ids.indexOf(id) !== at).forEach((id) => problems.push(`the id ${id} stands twice`));
  for (const id of ["main", "find", "keys", "live"]) {
    if (document.getElementById(id)?.closest(".content, .diff, .summary")) problems.push(`the id ${id} was taken`);
  }
  for (const each of ["body > header.top", "body > main#main", "body > footer", "body > main h1"]) {
    if (all(each).length !== 1) problems.push(`there are ${all(each).length} of ${each}`);
  }
  if (document.documentElement.dir || document.body.dir) problems.push("the page has another direction");
  const wide = document.documentElement.scrollWidth;
  if (wide > innerWidth) problems.push(`the page is ${wide} px wide, the window ${innerWidth}`);
  const brand = all("header.top .brand")[0]?.getBoundingClientRect();
  const above = brand && document.elementFromPoint(brand.x + brand.width / 2, brand.y + brand.height / 2);
  if (!above?.closest(".brand")) problems.push("the header is covered");

  // what came from outside
  for (const box of all(".content, .diff, .summary, h1, h3")) {
    const { left, right } = box.getBoundingClientRect();
    if (left < -1 || right > innerWidth + 1) wrong(`lies from ${left} to ${right} in a window of ${innerWidth}`, box);
    if (!box.closest("main, dialog")) wrong("is not in its place", box);
    for (const each of all("*", box)) {
      const { position, transform, zIndex } = getComputedStyle(each);
      if (each.namespaceURI !== "http://www.w3.org/1999/xhtml") wrong("is no HTML", each);
      if (!box.matches(".content")) continue;
      if (!TAGS.has(each.localName)) wrong("is no element of an article", each);
      for (const { name, value } of each.attributes) {
        if (!FREE.has(name) && !FIXED[name]?.has(value)) wrong(`carries ${name}`, each);
      }
      if (position !== "static" || transform !== "none" || zIndex !== "auto") wrong(`leaves its place, ${position}`, each);
    }
  }
  return [...window.heard.splice(0), ...problems];
}
