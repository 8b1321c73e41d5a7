// Comfort only: the forms work without this file. One key an answer; the focus goes to each new question.
(() => {
  "use strict";
  const box = () => document.querySelector("[data-asking]");
  const press = (selector) => {
    const button = box() && box().querySelector(selector);
    if (button && !button.disabled) button.click();
    return Boolean(button);
  };
  const play = () => {
    const player = box() && box().querySelector("video[data-start-ms]");
    if (!player) return;
    player.currentTime = Number(player.dataset.startMs) / 1000;
    player.play().catch(() => {});
  };
  let busy = false;
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    if (!event.target.closest("[data-asking]")) return;
    if (busy) event.preventDefault();
    busy = true;
  });
  document.body.addEventListener("htmx:afterRequest", () => { busy = false; });
  document.body.addEventListener("htmx:afterSwap", () => {
    const title = document.getElementById("ask-title");
    if (title) title.focus({ preventScroll: true });
  });
  document.addEventListener("timeupdate", (event) => {
    const player = event.target;
    if (player.dataset && player.dataset.endMs && player.currentTime * 1000 >= Number(player.dataset.endMs)) player.pause();
  }, true);
  document.addEventListener("keydown", (event) => {
    if (!box() || event.target.matches("input, select, textarea")) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
      event.preventDefault();
      press("[data-undo]");
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.toLowerCase();
    if (key === "arrowright") {
      event.preventDefault();
      press("[data-skip]");
    } else if (key === "arrowleft") {
      event.preventDefault();
      press("[data-undo]");
    } else if (key === " " && !event.target.matches("a, button, summary, video")) {
      event.preventDefault();
      play();
    } else if (key === "o") {
      const other = box().querySelector("[data-other]");
      event.preventDefault();
      if (other && !other.value) other.focus();
      else press('[data-key="o"]');
    } else if (key.length === 1 && /[0-9a-z]/.test(key)) {
      press(`button[data-key="${key}"]`);
    }
  });
})();
