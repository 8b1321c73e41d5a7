// The page: what is on screen, and what keys, mouse and buttons do to it.

import { area, clamp, distance, inside, moved, simplified } from "./geometry.js";
import { History, Saver, loadAll, loadOne, pictureAddress } from "./store.js";
import { View, colourOf } from "./view.js";

const $ = (id) => document.getElementById(id);
const canvas = $("canvas"), view = new View(canvas);
const NEAR = 9; // pixels of the screen within which a point is hit
const histories = new Map(), pictures = new Map();

let frames = [], emotions = [], characters = [];
let now = null; // the frame shown: {index, width, height, regions, done, image, ...}
let selected = -1, drawing = null, pointer = null, hidden = false, drag = null, space = false, asked = 0, loading = false;

const saver = new Saver((state, text) => {
  $("saved").className = state;
  $("saved").textContent = text;
});

// ---- loading

function picture(index) {
  if (!pictures.has(index)) {
    const image = new Image();
    const loaded = new Promise((resolve, reject) => {
      image.onload = () => resolve(image);
      image.onerror = () => reject(new Error("The picture of this frame cannot be shown."));
    });
    loaded.catch(() => pictures.delete(index));
    image.src = pictureAddress(index);
    pictures.set(index, loaded);
    if (pictures.size > 12) pictures.delete(pictures.keys().next().value);
  }
  return pictures.get(index);
}

async function show(index) {
  if (index < 0 || index >= frames.length) return say(index < 0 ? "This is the first frame." : "This is the last frame.");
  leave();
  const turn = ++asked;
  now = null;
  loading = true;
  mark(index);
  render();
  try {
    while (saver.waiting.has(index)) await new Promise((resume) => setTimeout(resume, 20));
    const [image, labels] = await Promise.all([picture(index), loadOne(index)]);
    if (turn !== asked) return;
    now = { ...labels, image };
  } catch (error) {
    if (turn === asked) { loading = false; say(error.message); hint(); }
    return;
  }
  loading = false;
  if (!histories.has(index)) histories.set(index, new History(now.regions));
  else histories.get(index).push(now.regions);
  selected = now.regions.length ? 0 : -1;
  history.replaceState(null, "", `${location.pathname}${location.search}#${index}`);
  say("");
  view.resize();
  view.fit(now.width, now.height);
  render();
  canvas.focus();
  for (const next of [index + 1, index - 1]) if (next >= 0 && next < frames.length) picture(next).catch(() => {});
}

function leave() {
  if (drawing && drawing.length >= 3) close();
  drawing = drag = null;
}

// ---- changes

const complete = (region) => Boolean(region.emotion);

function changed(done = now.done) {
  histories.get(now.index).push(now.regions);
  store(done);
}

function store(done) {
  say("");
  now.done = done && now.regions.every(complete);
  const brief = frames[now.index];
  brief.done = now.done;
  brief.faces = now.regions.length;
  saver.put(now.index, now.filename, now.regions, now.done);
  mark(now.index);
  render();
}

function step(by) {
  if (!now) return;
  if (drawing) return by < 0 ? takeBack() : undefined;
  const regions = histories.get(now.index).step(by);
  if (!regions) return say(by < 0 ? "There is nothing to undo." : "There is nothing to redo.");
  const former = now.regions.map((r) => JSON.stringify(r));
  const differs = regions.findIndex((r, i) => JSON.stringify(r) !== former[i]);
  now.regions = regions;
  selected = Math.min(differs >= 0 ? differs : selected, regions.length - 1);
  store(now.done);
}

function takeBack() {
  drawing.pop();
  if (!drawing.length) drawing = null;
  render();
}

function close() {
  const polygon = drawing.filter((p, i) => i === 0 || distance(p, drawing[i - 1]) > 0.3);
  drawing = null;
  if (polygon.length < 3 || area(polygon) < 4) {
    say("An outline needs at least three points around a face.");
    return render();
  }
  now.regions.push({ polygon, character: characters.length === 1 ? characters[0] : null, emotion: null, attributes: {} });
  selected = now.regions.length - 1;
  changed(false);
}

function setFace(what, value) {
  if (!now || selected < 0) return say("Choose or outline a face first.");
  now.regions[selected][what] = value;
  changed();
}

function remove() {
  if (!now || selected < 0) return;
  now.regions.splice(selected, 1);
  selected = Math.min(selected, now.regions.length - 1);
  changed();
}

async function copyBefore() {
  if (!now || now.index === 0) return say("There is no frame before this one.");
  const { index, width, height } = now;
  try {
    const before = await loadOne(index - 1);
    if (!now || now.index !== index) return;
    if (!before.regions.length) return say("The frame before has no faces.");
    const copies = before.regions.map((r) => ({
      ...r, emotion: null, polygon: r.polygon.map(([x, y]) => clamp([x * width / before.width, y * height / before.height], width, height)),
    }));
    selected = now.regions.length;
    now.regions.push(...copies);
    changed(false);
  } catch (error) { say(error.message); }
}

function finish() {
  if (!now) return;
  if (drawing) return close();
  const missing = now.regions.findIndex((r) => !complete(r));
  if (missing >= 0) {
    selected = missing;
    say(`Face ${missing + 1} has no emotion yet: 1 to 7, or u where it is unclear.`);
    return render();
  }
  if (!now.done) store(true);
  if (now.index + 1 < frames.length) show(now.index + 1);
  else {
    const open = frames.filter((f) => !f.done).length;
    hint(open ? `This was the last frame; ${open} are not done yet (j goes there).` : "All frames are done. Thank you.");
  }
}

function nextOpen() {
  const from = now ? now.index + 1 : 0, order = [...frames.slice(from), ...frames.slice(0, from)];
  const open = order.find((f) => !f.done);
  if (open) show(open.index);
  else say("All frames are done.");
}

// ---- showing

let messageTimer = 0;
function say(text) {
  clearTimeout(messageTimer);
  $("message").textContent = text;
  $("message").hidden = !text;
  if (text) messageTimer = setTimeout(() => say(""), 5000);
}

function hint(text) {
  $("hint").textContent = text ?? (
    !now ? (loading ? "loading …" : "") :
    drawing ? "Click on around the face; the first point, a double-click or Enter closes it." :
    !now.regions.length ? "Click or drag around a face to outline it. No face here? Enter." : "");
}

function render() {
  view.draw({ ...(now || { image: null, regions: [] }), selected, drawing, pointer, hidden });
  hint();
  list();
  const face = now && now.regions[selected];
  $("of-face").classList.toggle("none", !face);
  choices($("characters"), characters, face && face.character, (i) => (i < 9 ? `⇧${i + 1}` : ""), (name) => setFace("character", name));
  choices($("emotions"), emotions, face && face.emotion, (i) => (i < 7 ? `${i + 1}` : "u"), (name) => setFace("emotion", name));
  const past = now && histories.get(now.index);
  $("undo").disabled = !past || !(drawing || past.can(-1));
  $("redo").disabled = !past || Boolean(drawing) || !past.can(1);
  $("delete").disabled = !face;
  $("copy").disabled = !now || now.index === 0;
  $("done").disabled = !now;
  $("done").firstChild.textContent = now && !now.regions.length && !drawing ? "No face here, next " : "Done, next ";
}

function list() {
  $("count").textContent = now ? `(${now.regions.length})` : "";
  $("faces").replaceChildren(...(now ? now.regions : []).map((region, i) => {
    const item = document.createElement("li"), button = document.createElement("button");
    button.style.setProperty("--colour", colourOf(i));
    button.setAttribute("aria-pressed", String(i === selected));
    button.append(`${i + 1}  `, part(region.character, "who?"), " · ", part(region.emotion, "emotion?"));
    button.onclick = () => { selected = i; render(); canvas.focus(); };
    item.append(button);
    return item;
  }));
}

function part(text, missing) {
  const span = document.createElement("span");
  span.textContent = text || missing;
  span.className = text ? "" : "missing";
  return span;
}

function choices(box, names, chosen, key, choose) {
  box.replaceChildren(...names.map((name, i) => {
    const button = document.createElement("button");
    button.setAttribute("aria-pressed", String(name === chosen));
    if (key(i)) {
      const k = document.createElement("kbd");
      k.textContent = key(i);
      button.append(k, " ");
    }
    button.append(name);
    button.title = name;
    button.onclick = () => { choose(name); canvas.focus(); };
    return button;
  }));
}

function mark(index) {
  const frame = frames[index], done = frames.filter((f) => f.done).length;
  const time = frame.pts_ms === null ? "" : ` · ${(frame.pts_ms / 1000).toFixed(2)} s · shot ${frame.shot ?? "?"}`;
  $("where").textContent = `${index + 1} of ${frames.length} · ${frame.video || frame.filename}${time}`;
  $("progress").textContent = `${done} done`;
  [...$("strip").children].forEach((button, i) => {
    button.classList.toggle("done", frames[i].done);
    button.classList.toggle("begun", !frames[i].done && frames[i].faces > 0);
    if (i === index) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  });
  $("strip").children[index].scrollIntoView({ block: "nearest" });
}

function fillStrip() {
  $("strip").replaceChildren(...frames.map((frame, i) => {
    const button = document.createElement("button"), before = frames[i - 1];
    if (before && (before.shot !== frame.shot || before.video !== frame.video)) button.classList.add("shot");
    button.title = `${i + 1}: ${frame.filename}`;
    button.setAttribute("aria-label", `Frame ${i + 1}`);
    button.tabIndex = -1;
    button.onclick = () => show(i);
    return button;
  }));
}

// ---- mouse

const place = (event) => {
  const box = canvas.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
};
const inPicture = (at) => clamp(view.toPicture(at), now.width, now.height);

function hit(at) {
  if (selected < 0) return null;
  const points = now.regions[selected].polygon.map((p) => view.toScreen(p));
  const point = points.findIndex((p) => distance(p, at) <= NEAR);
  if (point >= 0) return { point };
  const middle = points.findIndex((p, i) => {
    const q = points[(i + 1) % points.length];
    return distance(p, q) > 24 && distance([(p[0] + q[0]) / 2, (p[1] + q[1]) / 2], at) <= NEAR - 2;
  });
  return middle >= 0 ? { middle } : null;
}

function faceAt(at) {
  const p = view.toPicture(at);
  const hits = now.regions.map((r, i) => i).filter((i) => inside(now.regions[i].polygon, p));
  if (hits.includes(selected)) return selected;
  return hits.sort((a, b) => area(now.regions[a].polygon) - area(now.regions[b].polygon))[0] ?? -1;
}

canvas.addEventListener("pointerdown", (event) => {
  if (!now) return;
  const at = place(event);
  canvas.focus();
  canvas.setPointerCapture(event.pointerId);
  say("");
  if (event.button !== 0 || space) { drag = { kind: "pan", at }; return; }
  if (drawing) { drag = { kind: "draw", at, fresh: false }; addPoint(at); return; }
  const target = event.shiftKey ? null : hit(at);
  if (target && "point" in target && event.altKey) return dropPoint(target.point);
  if (target) {
    const polygon = now.regions[selected].polygon;
    if ("middle" in target) polygon.splice(target.middle + 1, 0, inPicture(at));
    drag = { kind: "point", index: target.point ?? target.middle + 1 };
    return render();
  }
  const face = event.shiftKey ? -1 : faceAt(at);
  if (face >= 0) {
    selected = face;
    drag = { kind: "face", from: view.toPicture(at), polygon: now.regions[face].polygon, at };
    return render();
  }
  drawing = [];
  drag = { kind: "draw", at, fresh: true };
  addPoint(at);
});

function addPoint(at) {
  if (drawing.length >= 3 && distance(view.toScreen(drawing[0]), at) <= NEAR) { drag = null; return close(); }
  drawing.push(inPicture(at));
  render();
}

function dropPoint(index) {
  const polygon = now.regions[selected].polygon;
  if (polygon.length <= 3) return say("An outline needs at least three points.");
  polygon.splice(index, 1);
  changed();
}

canvas.addEventListener("pointermove", (event) => {
  if (!now) return;
  const at = place(event);
  pointer = at;
  if (!drag) {
    canvas.style.cursor = space ? "grab" : drawing ? "crosshair" : hit(at) ? "pointer" : faceAt(at) >= 0 ? "move" : "crosshair";
    if (drawing) view.draw({ ...now, selected, drawing, pointer, hidden });
    return;
  }
  if (drag.kind === "pan") {
    view.pan(at[0] - drag.at[0], at[1] - drag.at[1]);
    drag.at = at;
  } else if (drag.kind === "point") {
    now.regions[selected].polygon[drag.index] = inPicture(at);
  } else if (drag.kind === "face") {
    if (drag.still !== false && distance(at, drag.at) < 4) return;
    drag.still = false;
    const p = view.toPicture(at);
    now.regions[selected].polygon = moved(drag.polygon, p[0] - drag.from[0], p[1] - drag.from[1], now.width, now.height);
  } else if (drag.kind === "draw" && drawing) {
    drag.trail ??= [view.toPicture(drag.at)];
    if (distance(view.toScreen(drag.trail[drag.trail.length - 1]), at) > 3) drag.trail.push(inPicture(at));
  }
  view.draw({ ...now, selected, drawing: drawing && drag.trail ? [...drawing, ...drag.trail.slice(1)] : drawing, pointer: drag.trail ? null : pointer, hidden });
});

canvas.addEventListener("pointerup", () => {
  const ended = drag;
  drag = null;
  if (!now || !ended) return;
  if (ended.kind === "point" || (ended.kind === "face" && ended.still === false)) changed();
  else if (ended.kind === "draw" && drawing && ended.trail && ended.trail.length > 8) {
    drawing.push(...simplified(ended.trail, 1.2 / view.scale).slice(1));
    const home = distance(view.toScreen(drawing[0]), view.toScreen(drawing[drawing.length - 1])) < 40;
    if (ended.fresh && home) close();
    else render();
  }
});

canvas.addEventListener("dblclick", () => {
  if (drawing && drawing.length >= 3) close();
});
canvas.addEventListener("contextmenu", (event) => event.preventDefault());
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  if (!now) return;
  view.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), place(event));
  render();
}, { passive: false });

// ---- keys

const KEYS = {
  n: () => show((now ? now.index : -1) + 1),
  p: () => show((now ? now.index : 1) - 1),
  j: nextOpen,
  v: copyBefore,
  u: () => setFace("emotion", "unclear"),
  c: () => $("character-name").focus(),
  f: () => { if (now) { view.fit(now.width, now.height); render(); } },
  "+": () => { view.zoom(1.25); render(); },
  "=": () => { view.zoom(1.25); render(); },
  "-": () => { view.zoom(0.8); render(); },
  "?": help,
  Enter: finish,
  Escape: () => { drawing = null; say(""); render(); },
  Backspace: () => (drawing ? takeBack() : remove()),
  Delete: () => (drawing ? takeBack() : remove()),
  Tab: (event) => { if (now && now.regions.length) { const n = now.regions.length; selected = (selected + (event.shiftKey ? n - 1 : 1)) % n; render(); } },
};
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

document.addEventListener("keydown", (event) => {
  if (event.target.tagName === "INPUT" || $("help").open) return;
  if (event.target.tagName === "BUTTON" && ["Enter", " ", "Tab"].includes(event.key)) return;
  if (event.key === "Tab" && event.target !== canvas) return;
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
  let act = null;
  if (event.ctrlKey || event.metaKey) {
    const key = event.key.toLowerCase();
    if (key === "z") act = () => step(event.shiftKey ? 1 : -1);
    else if (key === "y") act = () => step(1);
  } else if (event.altKey) return;
  else if (digit && event.shiftKey) act = () => { const name = characters[digit[1] - 1]; if (name) setFace("character", name); };
  else if (digit && digit[1] <= 7) act = () => setFace("emotion", emotions[digit[1] - 1]);
  else if (ARROWS[event.key]) act = () => nudge(...ARROWS[event.key], event.shiftKey ? 10 : 1);
  else if (event.key === " ") act = () => { space = true; canvas.style.cursor = "grab"; };
  else if (event.key === "h") act = () => { hidden = true; render(); };
  else act = KEYS[event.key] || KEYS[event.key.toLowerCase()];
  if (!act) return;
  event.preventDefault();
  act(event);
});

document.addEventListener("keyup", (event) => {
  if (event.key === " ") space = false;
  if (event.key === "h") { hidden = false; render(); }
});
window.addEventListener("blur", () => { space = hidden = false; render(); });

function nudge(dx, dy, by) {
  if (!now || selected < 0 || drawing) return;
  const region = now.regions[selected];
  region.polygon = moved(region.polygon, dx * by, dy * by, now.width, now.height);
  changed();
}

// ---- buttons

function help() { $("help").showModal(); }

$("previous").onclick = KEYS.p;
$("next").onclick = KEYS.n;
$("done").onclick = () => { finish(); canvas.focus(); };
$("copy").onclick = () => { copyBefore(); canvas.focus(); };
$("undo").onclick = () => { step(-1); canvas.focus(); };
$("redo").onclick = () => { step(1); canvas.focus(); };
$("delete").onclick = () => { remove(); canvas.focus(); };
$("help-button").onclick = help;
$("new-character").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = $("character-name").value.trim().replace(/\s+/g, " ");
  if (name) {
    if (!characters.includes(name)) characters.push(name);
    setFace("character", name);
  }
  $("character-name").value = "";
  canvas.focus();
});
$("character-name").addEventListener("keydown", (event) => { if (event.key === "Escape") canvas.focus(); });
new ResizeObserver(() => { view.resize(); if (now && view.fitted) view.fit(now.width, now.height); render(); }).observe($("stage"));
window.addEventListener("beforeunload", (event) => { if (!saver.idle) event.preventDefault(); });

async function start() {
  try {
    const all = await loadAll();
    ({ frames, emotions, characters } = all);
    $("annotator").textContent = [all.annotator, all.file].filter(Boolean).join(" · ");
    if (!frames.length) return say("There is no frame to label.");
    fillStrip();
    const wanted = location.hash ? Number(location.hash.slice(1)) : NaN;
    const first = frames.find((f) => !f.done);
    await show(frames[wanted] ? wanted : first ? first.index : 0);
  } catch (error) {
    say(error.message);
    clearTimeout(messageTimer);
  }
}

start();
