// Draws the frame and its outlines; turns places on the screen into places in the picture and back.

export const COLOURS = ["#ff5d5d", "#4fc3ff", "#ffd54f", "#7bdc7b", "#d69cff", "#ff9d4f", "#5fe0d0", "#ff8fc8"];
export const colourOf = (index) => COLOURS[index % COLOURS.length];

export class View {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.fitted = true;
  }

  resize() {
    const box = this.canvas.getBoundingClientRect(), dense = window.devicePixelRatio || 1;
    this.canvas.width = Math.max(1, Math.round(box.width * dense));
    this.canvas.height = Math.max(1, Math.round(box.height * dense));
    this.width = box.width;
    this.height = box.height;
    this.dense = dense;
  }

  fit(width, height) {
    this.scale = Math.min(this.width / width, this.height / height) * 0.98;
    this.x = (this.width - width * this.scale) / 2;
    this.y = (this.height - height * this.scale) / 2;
    this.fitted = true;
  }

  zoom(by, [px, py] = [this.width / 2, this.height / 2]) {
    const scale = Math.min(40, Math.max(0.05, this.scale * by)), real = scale / this.scale;
    this.x = px - (px - this.x) * real;
    this.y = py - (py - this.y) * real;
    this.scale = scale;
    this.fitted = false;
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.fitted = false;
  }

  toPicture([px, py]) { return [(px - this.x) / this.scale, (py - this.y) / this.scale]; }
  toScreen([x, y]) { return [x * this.scale + this.x, y * this.scale + this.y]; }

  // state: {image, width, height, regions, selected, drawing, pointer, hidden}
  draw(state) {
    const c = this.context;
    c.setTransform(this.dense, 0, 0, this.dense, 0, 0);
    c.clearRect(0, 0, this.width, this.height);
    if (!state.image) return;
    c.imageSmoothingEnabled = this.scale < 4;
    c.drawImage(state.image, this.x, this.y, state.width * this.scale, state.height * this.scale);
    if (state.hidden) return;
    state.regions.forEach((region, i) => this.region(region, i, i === state.selected));
    if (state.drawing) this.open(state.drawing, state.pointer, state.regions.length);
  }

  region(region, index, selected) {
    const c = this.context, points = region.polygon.map((p) => this.toScreen(p));
    this.path(points);
    c.closePath();
    c.fillStyle = colourOf(index) + (selected ? "30" : "18");
    c.fill();
    this.line(colourOf(index), selected ? 2.5 : 1.5);
    if (selected) {
      points.forEach((p, i) => {
        this.dot(p, 4.5, "#fff", colourOf(index));
        const q = points[(i + 1) % points.length];
        if (Math.hypot(p[0] - q[0], p[1] - q[1]) > 24) this.dot([(p[0] + q[0]) / 2, (p[1] + q[1]) / 2], 2.5, colourOf(index), "#0008");
      });
    }
    const top = points.reduce((a, b) => (b[1] < a[1] ? b : a));
    this.text(`${index + 1} ${region.character || "?"} · ${region.emotion || "?"}`, top, colourOf(index));
  }

  open(points, pointer, index) {
    const all = points.map((p) => this.toScreen(p));
    this.path(pointer ? [...all, pointer] : all);
    this.line(colourOf(index), 2);
    all.forEach((p, i) => this.dot(p, i === 0 ? 6 : 3.5, i === 0 ? colourOf(index) : "#fff", "#000"));
  }

  path(points) {
    const c = this.context;
    c.beginPath();
    points.forEach(([x, y], i) => (i ? c.lineTo(x, y) : c.moveTo(x, y)));
  }

  line(colour, width) {
    const c = this.context;
    c.lineJoin = "round";
    c.strokeStyle = "#000a";
    c.lineWidth = width + 2;
    c.stroke();
    c.strokeStyle = colour;
    c.lineWidth = width;
    c.stroke();
  }

  dot([x, y], radius, fill, edge) {
    const c = this.context;
    c.beginPath();
    c.arc(x, y, radius, 0, 2 * Math.PI);
    c.fillStyle = fill;
    c.fill();
    c.strokeStyle = edge;
    c.lineWidth = 1.5;
    c.stroke();
  }

  text(words, [x, y], colour) {
    const c = this.context;
    c.font = "13px system-ui, sans-serif";
    const width = c.measureText(words).width + 10;
    const left = Math.min(this.width - width, Math.max(0, x - width / 2)), top = Math.max(0, y - 26);
    c.fillStyle = "#000c";
    c.fillRect(left, top, width, 20);
    c.fillStyle = colour;
    c.fillText(words, left + 5, top + 14.5);
  }
}
