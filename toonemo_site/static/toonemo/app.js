// Comfort only: every page works without this file.
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
  // A number that opens the moments behind it closes them again.
  const slotOf = (link) => link.closest("li").querySelector(".slot");
  document.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest("a[data-opens]");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      const slot = slotOf(link);
      if (!slot.childElementCount) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      slot.replaceChildren();
      link.setAttribute("aria-expanded", "false");
    },
    true,
  );
  document.addEventListener("htmx:afterSwap", (event) => {
    const source = event.detail.requestConfig?.elt;
    if (source?.matches?.("a[data-opens]")) source.setAttribute("aria-expanded", "true");
  });
})();
(() => {
  "use strict";
  // Links to share: a button beside each that copies it and says so.
  const offer = () => {
    if (!navigator.clipboard) return;
    for (const button of document.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const field = button.closest(".copying").querySelector("input");
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      button.textContent = window.gettext?.("Copied") ?? "Copied";
    } catch {
      button.textContent = window.gettext?.("Press Ctrl+C") ?? "Press Ctrl+C";
    }
  });
  document.addEventListener("htmx:afterSettle", offer);
  offer();
})();
