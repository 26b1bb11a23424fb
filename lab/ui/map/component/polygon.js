// The even-odd rule in whole numbers, as lab/curation/selections/polygon.py has it: an edge counts
// from its lower end, included, to its upper end, excluded. Edges are sorted into 256 bands of y,
// so a point meets only those that could cross its ray.

const BANDS = 256, BAND = 8; // 65,536 / 256 steps: y >> 8

function bandsOf(area) {
  const bands = Array.from({ length: BANDS }, () => []);
  area.forEach(([x0, y0], i) => {
    const [x1, y1] = area[(i + 1) % area.length];
    if (y0 === y1) return;
    const low = Math.max(0, Math.min(y0, y1) >> BAND), high = Math.min(BANDS - 1, Math.max(y0, y1) >> BAND);
    for (let band = low; band <= high; band++) bands[band].push(x0, y0, x1, y1);
  });
  return bands;
}

// One flag a point: 1 inside, 0 outside; all 1 without an area.
function insideFlags(place, area) {
  const count = place.length / 2, flags = new Uint8Array(count);
  if (area.length < 3) return flags.fill(1);
  const bands = bandsOf(area);
  const xs = area.map((c) => c[0]), left = Math.min(...xs), right = Math.max(...xs);
  for (let i = 0; i < count; i++) {
    const x = place[2 * i], y = place[2 * i + 1];
    if (x < left || x > right) continue;
    const edges = bands[y >> BAND];
    let odd = 0;
    for (let e = 0; e < edges.length; e += 4) {
      const y0 = edges[e + 1], y1 = edges[e + 3];
      if ((y0 > y) === (y1 > y)) continue;
      const side = (x - edges[e]) * (y1 - y0) - (edges[e + 2] - edges[e]) * (y - y0);
      if (y1 > y0 ? side < 0 : side > 0) odd ^= 1;
    }
    flags[i] = odd;
  }
  return flags;
}

// Ramer 1972, Douglas and Peucker 1973: the corners that matter at `tolerance` pixels.
function simplified(points, tolerance) {
  const keep = new Uint8Array(points.length), stack = [[0, points.length - 1]];
  keep[0] = keep[points.length - 1] = 1;
  while (stack.length) {
    const [from, to] = stack.pop(), [ax, ay] = points[from], [bx, by] = points[to];
    const length = Math.hypot(bx - ax, by - ay) || 1;
    let far = 0, at = -1;
    for (let i = from + 1; i < to; i++) {
      const [x, y] = points[i];
      const off = length > 1 ? Math.abs((bx - ax) * (ay - y) - (ax - x) * (by - ay)) / length : Math.hypot(x - ax, y - ay);
      if (off > far) { far = off; at = i; }
    }
    if (far > tolerance) { keep[at] = 1; stack.push([from, at], [at, to]); }
  }
  return points.filter((_, i) => keep[i]);
}

const areaOf = (points) => Math.abs(points.reduce((sum, [x, y], i) => {
  const [u, v] = points[(i + 1) % points.length];
  return sum + x * v - u * y;
}, 0)) / 2;
