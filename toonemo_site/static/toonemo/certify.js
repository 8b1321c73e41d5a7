// Comfort only: the form works without this file. Keys choose, arrows go from piece to piece, space plays the shot.
(() => {
  "use strict";
  const form = document.querySelector("form[data-certify]");
  if (!form) return;
  const pieces = [...form.querySelectorAll("fieldset")];
  const player = document.querySelector("video[data-player]");
  const open = () => pieces.findIndex((p) => !p.querySelector("input:checked"));
  let at = 0;
  const go = (to) => {
    at = Math.max(0, Math.min(pieces.length - 1, to));
    pieces.forEach((p, i) => p.toggleAttribute("data-here", i === at));
    pieces[at].scrollIntoView({ block: "nearest" });
    if (player) player.currentTime = Number(pieces[at].dataset.startMs) / 1000;
  };
  const play = () => {
    if (!player) return;
    player.currentTime = Number(player.dataset.startMs) / 1000;
    player.play().catch(() => {});
  };
  if (player) {
    player.addEventListener("timeupdate", () => {
      if (player.currentTime * 1000 >= Number(player.dataset.endMs)) player.pause();
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const where = event.target;
    if (where.matches('input:not([type="radio"]), select, textarea, button, a, video')) return;
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      event.preventDefault();
      go(at + (event.key === "ArrowRight" ? 1 : -1));
    } else if (event.key === " " && !where.matches("input")) {
      event.preventDefault();
      play();
    } else if (event.key === "Enter") {
      event.preventDefault();
      form.requestSubmit();
    } else {
      const choice = pieces[at].querySelector(`input[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
      if (!choice) return;
      choice.checked = true;
      const next = open();
      if (next >= 0) go(next);
    }
  });
  form.addEventListener("focusin", (event) => {
    const piece = event.target.closest("fieldset");
    if (piece && pieces.indexOf(piece) !== at) go(pieces.indexOf(piece));
  });
})();
