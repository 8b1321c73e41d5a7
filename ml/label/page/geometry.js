// Polygons as lists of [x, y] in pixels of the picture. Pure functions.

export const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

export function inside(polygon, [x, y]) {
  let odd = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [ax, ay] = polygon[i], [bx, by] = polygon[j];
    if ((ay > y) !== (by > y) && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
  }
  return odd;
}

export function area(polygon) {
  let twice = 0;
  polygon.forEach(([x, y], i) => {
    const [nx, ny] = polygon[(i + 1) % polygon.length];
    twice += x * ny - nx * y;
  });
  return Math.abs(twice) / 2;
}

export const clamp = ([x, y], width, height) => [
  Math.min(width, Math.max(0, Math.round(x * 10) / 10)),
  Math.min(height, Math.max(0, Math.round(y * 10) / 10)),
];

// Moves all points alike, no farther than the picture reaches.
export function moved(polygon, dx, dy, width, height) {
  const xs = polygon.map((p) => p[0]), ys = polygon.map((p) => p[1]);
  dx = Math.min(width - Math.max(...xs), Math.max(-Math.min(...xs), dx));
  dy = Math.min(height - Math.max(...ys), Math.max(-Math.min(...ys), dy));
  return polygon.map(([x, y]) => clamp([x + dx, y + dy], width, height));
}

function fromLine(p, a, b) {
  const length = distance(a, b);
  if (length === 0) return distance(p, a);
  return Math.abs((b[0] - a[0]) * (a[1] - p[1]) - (a[0] - p[0]) * (b[1] - a[1])) / length;
}

// Ramer, Douglas and Peucker: fewer points, none farther than `most` from the line drawn.
export function simplified(line, most) {
  if (line.length < 3) return line;
  let far = 0, at = 0;
  for (let i = 1; i < line.length - 1; i++) {
    const d = fromLine(line[i], line[0], line[line.length - 1]);
    if (d > far) { far = d; at = i; }
  }
  if (far <= most) return [line[0], line[line.length - 1]];
  return [...simplified(line.slice(0, at + 1), most).slice(0, -1), ...simplified(line.slice(at), most)];
}
