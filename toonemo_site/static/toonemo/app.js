// Comfort only: every page works without this file. Jumps within the player and moves the line over the timeline.
(() => {
  "use strict";
  for (const slider of document.querySelectorAll(".limit input[type=range]")) {
    slider.addEventListener("input", () => {
      const row = slider.closest(".limit");
      row.querySelector("input[type=checkbox]").checked = true;
      row.querySelector("output").textContent = `${slider.value} %`;
    });
  }
})();
(() => {
  "use strict";
  const player = document.querySelector("video[data-player]");
  if (!player) return;
  const length = Number(player.dataset.durationMs) / 1000;
  const heads = document.querySelectorAll("[data-playhead]");
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-seek-ms]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    player.currentTime = Number(link.dataset.seekMs) / 1000;
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    player.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "nearest" });
    player.play().catch(() => {});
  });
  const move = () => {
    const at = `${Math.min(100, (100 * player.currentTime) / length)}%`;
    for (const head of heads) {
      head.setAttribute("x1", at);
      head.setAttribute("x2", at);
    }
  };
  player.addEventListener("timeupdate", move);
  player.addEventListener("seeked", move);
})();
