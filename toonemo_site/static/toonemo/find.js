// Comfort only: without this file a picture is chosen as a file. A board to draw on, and a box around the face.
(() => {
  "use strict";
  const form = document.querySelector("form[data-find]");
  if (!form) return;
  const file = form.querySelector("[data-find-file]");
  const board = form.querySelector("[data-find-board]");
  const canvas = form.querySelector("[data-find-canvas]");
  const box = form.querySelector("[data-find-box]");
  const pen = canvas.getContext("2d");
  const pages = { drawing: document.createElement("canvas") };
  const page = pages.drawing.getContext("2d");
  let tool = "pen";
  let drawn = false;
  let chosen = null; // the picture of the file, where one was chosen
  let from = null;
  let marked = null;
  board.hidden = false;

  const blank = () => {
    pages.drawing.width = canvas.width;
    pages.drawing.height = canvas.height;
    page.fillStyle = "#ffffff";
    page.fillRect(0, 0, canvas.width, canvas.height);
    page.lineCap = page.lineJoin = "round";
  };
  const show = () => {
    pen.drawImage(pages.drawing, 0, 0);
    if (!marked) return;
    pen.strokeStyle = "#1a5c97";
    pen.lineWidth = 3;
    pen.setLineDash([8, 5]);
    pen.strokeRect(marked[0], marked[1], marked[2] - marked[0], marked[3] - marked[1]);
    pen.setLineDash([]);
  };
  const scale = () => (chosen ? chosen.width / canvas.width : 1);
  const place = (event) => {
    const edge = canvas.getBoundingClientRect();
    const x = ((event.clientX - edge.left) * canvas.width) / edge.width;
    const y = ((event.clientY - edge.top) * canvas.height) / edge.height;
    return [Math.min(Math.max(x, 0), canvas.width), Math.min(Math.max(y, 0), canvas.height)];
  };
  const line = (to) => {
    page.strokeStyle = tool === "eraser" ? "#ffffff" : "#16131c";
    page.lineWidth = tool === "eraser" ? 26 : 5;
    page.beginPath();
    page.moveTo(from[0], from[1]);
    page.lineTo(to[0], to[1]);
    page.stroke();
    drawn = true;
  };
  const choose = (name) => {
    tool = name;
    for (const button of form.querySelectorAll("[data-find-tool]"))
      button.setAttribute("aria-pressed", String(button.dataset.findTool === name));
  };
  const reset = () => {
    marked = null;
    box.value = "";
    blank();
    show();
  };

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    from = place(event);
    if (tool !== "box") line(from);
    show();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!from) return;
    const to = place(event);
    if (tool === "box") {
      marked = [Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.max(from[0], to[0]), Math.max(from[1], to[1])];
    } else {
      line(to);
      from = to;
    }
    show();
  });
  canvas.addEventListener("pointerup", () => {
    from = null;
    if (tool === "box" && marked) box.value = marked.map((v) => Math.round(v * scale())).join(", ");
  });
  form.addEventListener("click", (event) => {
    const button = event.target.closest("button[type=button]");
    if (!button) return;
    if (button.dataset.findTool) choose(button.dataset.findTool);
    else {
      file.value = "";
      chosen = null;
      drawn = false;
      canvas.height = 360;
      reset();
    }
  });
  file.addEventListener("change", async () => {
    chosen = null;
    drawn = false;
    if (!file.files.length) return reset();
    try {
      chosen = await createImageBitmap(file.files[0]);
    } catch {
      return reset(); // the server says what is wrong with it
    }
    canvas.height = Math.max(1, Math.round((canvas.width * chosen.height) / chosen.width));
    reset();
    page.drawImage(chosen, 0, 0, canvas.width, canvas.height);
    choose("box");
    show();
  });
  form.addEventListener("submit", (event) => {
    if (!drawn || form.dataset.sent) return;
    event.preventDefault(); // the board becomes the file that is sent
    pages.drawing.toBlob((blob) => {
      const files = new DataTransfer();
      files.items.add(new File([blob], "drawing.png", { type: "image/png" }));
      if (chosen) box.value = marked ? marked.map(Math.round).join(", ") : "";
      file.files = files.files;
      form.dataset.sent = "1";
      form.requestSubmit();
    }, "image/png");
  });
  reset();
})();
