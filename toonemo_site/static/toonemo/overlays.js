// Comfort only: draws whose face is where, and what it shows, over the player's picture. Asks the site's own API for ten
// seconds at a time, drawing by drawing. The picture below is never touched; without this file nothing is missing.
(() => {
  "use strict";
  const button = document.querySelector("[data-overlays]");
  const player = document.querySelector("video[data-player]");
  const sheet = document.querySelector("svg[data-overlay]");
  if (!button || !player || !sheet) return;
  const PIECE_MS = 10_000;
  const KEPT = 12; // pieces
  const SVG = "http://www.w3.org/2000/svg";
  const words = JSON.parse(button.dataset.words);
  const status = document.querySelector("[data-overlay-status]");
  const pieces = new Map(); // number -> {drawings, names} once it has come, or null while it is on its way
  let on = false;
  let drawn = null;

  const say = (text) => {
    status.textContent = text;
  };

  async function fetchPiece(number) {
    if (number < 0 || pieces.has(number)) return;
    pieces.set(number, null);
    const from = number * PIECE_MS;
    try {
      const answer = await fetch(`${button.dataset.overlays}?from_ms=${from}&to_ms=${from + PIECE_MS}`, {
        headers: { Accept: "application/json" },
      });
      if (!answer.ok) throw new Error(String(answer.status));
      const found = await answer.json();
      const names = new Map(found.characters.map((one) => [one.slug, one]));
      pieces.set(number, { drawings: found.drawings, names });
      sheet.setAttribute("viewBox", `0 0 ${found.width} ${found.height}`);
      sheet.dataset.height = found.height;
      say("");
      for (const old of [...pieces.keys()].slice(0, Math.max(0, pieces.size - KEPT))) pieces.delete(old);
    } catch {
      pieces.delete(number);
      say(button.dataset.failed);
    }
  }

  const add = (parent, name, values) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(values)) made.setAttribute(key, value);
    parent.append(made);
    return made;
  };

  function drawFace(face, names) {
    const [left, top, right, bottom] = face.box;
    const height = Number(sheet.dataset.height);
    const who = names.get(face.character);
    const rings = face.outline.length
      ? face.outline
      : [[[left, top], [right, top], [right, bottom], [left, bottom]]]; // prettier-ignore
    const path = rings.map((ring) => `M${ring.map(([x, y]) => `${x} ${y}`).join("L")}Z`).join("");
    const group = add(sheet, "g", { class: `overlay-face f-${face.emotion}` });
    add(group, "path", { d: path, "fill-rule": "evenodd", stroke: who ? who.colour : "#e5e1d8" });
    const above = top - height / 60;
    const text = add(group, "text", {
      x: (left + right) / 2,
      y: above > height / 16 ? above : bottom + height / 18,
      "font-size": height / 20,
      "text-anchor": "middle",
    });
    text.textContent = `${who ? who.name : words.nobody}: ${words[face.emotion] ?? face.emotion}`;
  }

  function draw() {
    const at = player.currentTime * 1000;
    const number = Math.floor(at / PIECE_MS);
    const piece = pieces.get(number);
    if (piece === undefined) fetchPiece(number);
    if (at % PIECE_MS > PIECE_MS * 0.6) fetchPiece(number + 1);
    const now = piece?.drawings.find((one) => one.pts_ms <= at && at < one.pts_ms + one.shown_ms) ?? null;
    if (now === drawn) return;
    drawn = now;
    sheet.replaceChildren();
    if (now) for (const face of now.faces) drawFace(face, piece.names);
  }

  function follow() {
    if (!on) return;
    draw();
    if (player.requestVideoFrameCallback && !player.paused) player.requestVideoFrameCallback(follow);
    else setTimeout(() => requestAnimationFrame(follow), player.paused ? 120 : 40);
  }

  button.addEventListener("click", () => {
    on = !on;
    button.setAttribute("aria-pressed", String(on));
    sheet.replaceChildren();
    drawn = null;
    say("");
    if (on) follow();
  });
  button.hidden = false;
})();
