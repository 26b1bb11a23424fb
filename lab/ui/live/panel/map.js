// The map of one metric over three corners: three sources, or two and the rest in proportion.
//
// Values come on a triangular grid, first corner i / steps, second j / steps, j running fastest.
// Each small triangle has the mean of its corners, in one of SHADES steps of the scale.

const SHADES = 40, LEFT = 40, RIGHT = 400, TOP = 34, BOTTOM = TOP + (RIGHT - LEFT) * Math.sqrt(3) / 2;
const RAMPS = {
  value: [[33, 60, 115], [62, 150, 160], [245, 233, 190]], // best to worst
  width: [[236, 240, 238], [222, 170, 110], [150, 50, 40]], // sure to unsure
};
const shade = (ramp, part) => {
  const place = Math.min(Math.max(part, 0), 1) * 2, k = Math.min(Math.floor(place), 1);
  return `rgb(${ramp[k].map((v, c) => Math.round(v + (ramp[k + 1][c] - v) * (place - k))).join()})`;
};
const spot = ([a, b, c]) => [LEFT + (RIGHT - LEFT) * (b + c / 2), BOTTOM - (BOTTOM - TOP) * c];
const short = (text, most) => (text.length > most ? text.slice(0, most - 1) + "\u2026" : text);

function drawMap($, data, view, choose) {
  const { map, metrics, metric } = data.prediction, svg = $("#triangle"), m = metrics[metric];
  const value = unpack(map.value), low = unpack(map.low), high = unpack(map.high), n = map.steps;
  const shown = view === "width" ? value.map((_, k) => high[k] - low[k]) : value;
  const least = Math.min(...shown), most = Math.max(...shown), digits = digitsOf(Math.max(most - least, 1e-9) / 4);
  const better = view === "width" || m.lower ? (v) => (v - least) / (most - least || 1) : (v) => (most - v) / (most - least || 1);
  const index = (i, j) => i * (n + 1) - (i * (i - 1)) / 2 + j;
  const point = (i, j) => spot([i / n, j / n, (n - i - j) / n]).map((v) => v.toFixed(1)).join(" ");
  const cells = Array.from({ length: SHADES }, () => []);
  const cell = (corners) => {
    const mean = corners.reduce((sum, [i, j]) => sum + shown[index(i, j)], 0) / 3;
    cells[Math.min(Math.floor(better(mean) * SHADES), SHADES - 1)].push(`M${corners.map(([i, j]) => point(i, j)).join("L")}Z`);
  };
  for (let i = 0; i < n; i++) for (let j = 0; i + j < n; j++) {
    cell([[i, j], [i + 1, j], [i, j + 1]]);
    if (i + j < n - 1) cell([[i + 1, j], [i, j + 1], [i + 1, j + 1]]);
  }
  const ramp = RAMPS[view], colour = (k) => shade(ramp, (k + 0.5) / SHADES);
  const layers = cells.map((paths, k) => drawn("path", { d: paths.join(""), fill: colour(k), stroke: colour(k), "stroke-width": 0.7 }));
  const [a, b, c] = map.corners.map((name) => short(name, 24));
  const names = [
    drawn("text", { x: 4, y: BOTTOM + 18 }, a), drawn("text", { x: 436, y: BOTTOM + 18, "text-anchor": "end" }, b),
    drawn("text", { x: (LEFT + RIGHT) / 2, y: TOP - 12, "text-anchor": "middle" }, c),
  ];
  const legend = Array.from({ length: SHADES }, (_, k) => drawn("rect", { x: 120 + 5 * k, y: BOTTOM + 30, width: 5.4, height: 8, fill: colour(k) }));
  const ends = view === "width" || m.lower ? [least, most] : [most, least];
  const words = view === "width" ? ["narrow", "wide"] : ["better", "worse"];
  legend.push(drawn("text", { class: "tiny", x: 114, y: BOTTOM + 38, "text-anchor": "end" }, `${words[0]} ${minus(ends[0], digits)}`));
  legend.push(drawn("text", { class: "tiny", x: 326, y: BOTTOM + 38 }, `${minus(ends[1], digits)} ${words[1]}`));
  const STYLE = {
    run: { r: 2.6, fill: "#111", stroke: "#fff", "stroke-width": 1 },
    natural: { r: 5, fill: "#9aa5a2", stroke: "#111", "stroke-width": 1.2 },
    proposal: { r: 5.5, fill: "#ffa90e", stroke: "#111", "stroke-width": 1.2 },
    best: { r: 5.5, fill: "none", stroke: "#bd1f01", "stroke-width": 2.5 },
  };
  const marks = map.points.map(({ kind, name, at }) => {
    const [x, y] = spot(at), mark = drawn("circle", { cx: x, cy: y, ...STYLE[kind] });
    mark.append(drawn("title", {}, name));
    return mark;
  });
  const current = drawn("g", {});
  for (const [r, fill] of [[8, "#fff"], [5, "#111"]]) current.append(drawn("circle", { r, fill, stroke: "#111", "stroke-width": 1.5 }));
  current.append(drawn("title", {}, "this mixture"));
  svg.replaceChildren(...layers, ...names, ...legend, ...marks, current);
  svg.classList.toggle("open", map.open);
  svg.setAttribute("aria-label", `${m.name} over ${map.corners.join(", ")}: from ${minus(ends[0], digits)} to ${minus(ends[1], digits)}`);
  $("#map-title").textContent = `${m.on} ${m.metric} over the mixtures`;
  for (const name of ["value", "width"]) $(`#view-${name}`).setAttribute("aria-pressed", name === view);
  const kinds = [["\u25cf in white", "this mixture"], ["black", "runs", "run"], ["orange", "last proposal", "proposal"], ["grey", "natural", "natural"], ["red ring", "best on this map", "best"]];
  const seen = new Set(map.points.map((p) => p.kind));
  const key = kinds.filter(([, , kind]) => !kind || seen.has(kind)).map(([sign, text]) => `${sign}: ${text}`).join(", ");
  const idle = `${key}. ${map.open ? "Click to take a mixture." : map.closed}`;
  $("#readout").textContent = idle;

  const place = (event) => {
    const frame = svg.getBoundingClientRect(), scale = 440 / frame.width;
    const top = (BOTTOM - (event.clientY - frame.top) * scale) / (BOTTOM - TOP);
    const b = ((event.clientX - frame.left) * scale - LEFT) / (RIGHT - LEFT) - top / 2, a = 1 - b - top;
    if (Math.min(a, b, top) < -0.03) return null;
    const i = Math.min(Math.max(Math.round(a * n), 0), n);
    return [i, Math.min(Math.max(Math.round(b * n), 0), n - i)];
  };
  svg.onpointermove = (event) => {
    const found = place(event);
    if (!found) { $("#readout").textContent = idle; return; }
    const [i, j] = found, k = index(i, j), d = digitsOf(high[k] - low[k]);
    const parts = [i, j, n - i - j].map((v, q) => `${map.corners[q]} ${percent(map.room * v / n, 0)}`).join(", ");
    $("#readout").textContent = `${parts}: ${minus(value[k], d)} (${minus(low[k], d)} to ${minus(high[k], d)})`;
  };
  svg.onpointerleave = () => { $("#readout").textContent = idle; };
  // The two or three weights of the click; sources of the third corner share it in proportion.
  svg.onclick = (event) => {
    const found = map.open && place(event);
    if (!found) return;
    const [i, j] = found, next = data.sources.map((s) => s.weight), rest = map.rest;
    next[map.pair[0]] = map.room * i / n;
    next[map.pair[1]] = map.room * j / n;
    const sum = rest.reduce((total, k) => total + next[k], 0), left = map.room * (n - i - j) / n;
    for (const k of rest) next[k] = left * (sum > 0 ? data.sources[k].weight / sum : 1 / rest.length);
    choose(next);
  };
  return {
    choose,
    move(total, weights) {
      const by = map.three ? total : weights, [x, y] = map.pair, rest = map.rest.reduce((sum, k) => sum + by[k], 0);
      const whole = by[x] + by[y] + rest || 1, [px, py] = spot([by[x] / whole, by[y] / whole, rest / whole]);
      current.setAttribute("transform", `translate(${px.toFixed(1)} ${py.toFixed(1)})`);
    },
  };
}
