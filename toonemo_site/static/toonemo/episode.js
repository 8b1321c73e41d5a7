// Comfort only: the page works without this file. Binds the player to the charts: lines that move with it, places to
// jump to, and a slider that does both for the keyboard.
(() => {
  "use strict";
  const player = document.querySelector("video[data-player]");
  if (!player) return;
  const length = Number(player.dataset.durationMs) / 1000;
  const seek = (seconds) => {
    player.currentTime = Math.max(0, Math.min(length, seconds));
  };
  const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

  const show = () => {
    const at = `${Math.min(100, (100 * player.currentTime) / length)}%`;
    for (const head of document.querySelectorAll("[data-playhead]")) {
      head.setAttribute("x1", at);
      head.setAttribute("x2", at);
    }
    for (const slider of document.querySelectorAll("[data-scrub]")) {
      slider.value = String(Math.round(player.currentTime * 1000));
      slider.setAttribute("aria-valuetext", clock(player.currentTime));
    }
  };
  for (const name of ["timeupdate", "seeked", "seeking", "loadedmetadata"]) player.addEventListener(name, show);

  // While it plays, every picture moves the lines, not four times a second.
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  const follow = () => {
    show();
    if (!player.paused && !player.ended && !calm.matches) requestAnimationFrame(follow);
  };
  player.addEventListener("play", follow);

  const ready = () => {
    for (const label of document.querySelectorAll("[data-scrub-label]")) label.hidden = false;
    show();
  };
  document.addEventListener("htmx:afterSettle", ready);
  ready();

  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-scrub]")) seek(Number(event.target.value) / 1000);
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-seek-ms]");
    if (link) {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      seek(Number(link.dataset.seekMs) / 1000);
      player.scrollIntoView({ behavior: calm.matches ? "auto" : "smooth", block: "nearest" });
      player.play().catch(() => {});
      return;
    }
    const chart = event.target.closest("svg[data-seekable]");
    if (!chart) return;
    const box = chart.getBoundingClientRect();
    seek((length * (event.clientX - box.left)) / box.width);
  });

  // Emotions as subtitles: a button that says what it does, for those who do not find the player's own.
  const button = document.querySelector("[data-captions]");
  const track = player.textTracks[0];
  if (button && track) {
    const say = () => button.setAttribute("aria-pressed", String(track.mode === "showing"));
    button.hidden = false;
    button.addEventListener("click", () => {
      track.mode = track.mode === "showing" ? "disabled" : "showing";
      say();
    });
    player.textTracks.addEventListener("change", say);
    say();
  }
})();
