// Keeps a page of runs as it is now: asks for its changing part again whenever the server tells of something, or every
// few seconds where it tells nothing. Without this file the page is refreshed by hand.
(() => {
  "use strict";
  const POLL_MS = 4000;
  const LEAST_MS = 1000;
  let source = null;
  let timer = 0;
  let asked = 0;
  let waiting = false;
  const part = () => document.querySelector("[data-live]");
  const note = (kind) => {
    const line = document.querySelector("[data-live-note]");
    if (line && line.dataset[kind]) line.textContent = line.dataset[kind];
  };
  const key = (element) => element.id || `${element.name}|${element.value}|${element.closest("[data-run]")?.dataset.run}`;
  const inside = (root, wanted) => [...root.querySelectorAll("input, button, a, select")].find((e) => key(e) === wanted);

  // What somebody ticked, typed, opened and stands on stays.
  const swap = (text) => {
    const old = part();
    const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("[data-live]");
    if (!old || !fresh) return;
    const focused = old.contains(document.activeElement) ? key(document.activeElement) : "";
    for (const box of old.querySelectorAll("input.tick:checked")) {
      const now = inside(fresh, key(box));
      if (now) now.checked = true;
    }
    for (const field of old.querySelectorAll("input[type=text]")) {
      const now = field.id && fresh.querySelector(`#${CSS.escape(field.id)}`);
      if (now) now.value = field.value;
    }
    for (const open of old.querySelectorAll("details[id]")) {
      const now = fresh.querySelector(`#${CSS.escape(open.id)}`);
      if (now) now.open = open.open;
    }
    const pictures = new Map([...old.querySelectorAll("img")].map((e) => [e.src, e]));
    for (const picture of fresh.querySelectorAll("img")) pictures.has(picture.src) && picture.replaceWith(pictures.get(picture.src));
    const scrolled = [...old.querySelectorAll(".scroll")].map((e) => e.scrollLeft);
    old.replaceWith(fresh);
    [...fresh.querySelectorAll(".scroll")].forEach((e, i) => { e.scrollLeft = scrolled[i] || 0; });
    if (focused) inside(fresh, focused)?.focus({ preventScroll: true });
    count();
    note(source ? "events" : "polling");
  };

  const refresh = async () => {
    waiting = false;
    asked = Date.now();
    try {
      const answer = await fetch(window.location.href, { headers: { "X-Part": "1" }, cache: "no-store" });
      if (answer.ok) swap(await answer.text());
    } catch {
      // away for a moment: the next time will do
    }
    if (!source && part()?.dataset.liveActive) poll();
  };
  const soon = () => {
    if (waiting) return;
    waiting = true;
    window.setTimeout(refresh, Math.max(0, asked + LEAST_MS - Date.now()));
  };
  const poll = () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => { if (!document.hidden) refresh(); else poll(); }, POLL_MS);
  };

  const listen = () => {
    const address = part()?.dataset.liveEvents;
    if (!address || !window.EventSource || source) return;
    source = new EventSource(address);
    for (const kind of ["run", "queue", "progress", "reset"]) source.addEventListener(kind, soon);
    source.addEventListener("open", () => note("events"));
    source.addEventListener("end", (event) => {
      if (JSON.parse(event.data).ended) { silence(); soon(); }
    });
    source.addEventListener("error", () => {
      if (!source || source.readyState !== EventSource.CLOSED) return; // it comes back by itself
      silence(); // refused: too many are open, or somebody signed out
      note("polling");
      poll();
    });
  };
  const silence = () => { source?.close(); source = null; };

  const count = () => {
    const line = document.querySelector("[data-ticked]");
    if (!line) return;
    const ticked = document.querySelectorAll("input.tick:checked").length;
    line.textContent = ticked ? line.dataset.some.replace("{}", ticked) : line.dataset.none;
  };
  document.addEventListener("change", (event) => { if (event.target.matches("input.tick")) count(); });
  const all = document.querySelector("[data-tick-all]");
  if (all) {
    all.hidden = false;
    all.addEventListener("click", () => {
      for (const box of document.querySelectorAll("input.tick")) box.checked = true;
      count();
    });
  }
  count();

  if (!part()) return;
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { silence(); return; } // a page that nobody looks at keeps nothing open
    refresh();
    listen();
  });
  window.addEventListener("pagehide", silence);
  window.addEventListener("pageshow", (event) => { if (event.persisted) { refresh(); listen(); } });
  listen();
  if (!source && part().dataset.liveActive) { note("polling"); poll(); }
})();
