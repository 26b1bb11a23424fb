// Weights that answer while they move, for Streamlit components v2. No dependencies.
//
// Data: numbers from `lab.advice.proposing.live` and the ledger, names of sources and metrics; every name
// becomes a text node. Moving weight i scales the other unlocked weights in proportion: one path,
// along which the server has predicted every metric (`slices`), so a drag is a look-up between two
// stored points and asks nobody. When it is let go the server hears of it once (trigger "weights",
// {of, weights: {source: percent}}) and answers with the exact numbers and the next slices.
// Epochs follow from tokens drawn and pools; repeated tokens decay as in arXiv:2305.16264.

const SVG = "http://www.w3.org/2000/svg", PER = 9; // numbers of a metric: three times value, low, high
const KEYS_MS = 350;

const element = (tag, className, text) => {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
};
const drawn = (tag, attributes, text) => {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
};
const unpack = (text) => {
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return new Float32Array(bytes.buffer);
};
const compact = (n) => {
  for (const [step, letter] of [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "k"]]) {
    if (Math.abs(n) >= step * 0.9995) return Number((n / step).toPrecision(3)) + letter;
  }
  return String(Number(n.toPrecision(3)));
};
const percent = (share, digits = 1) => (100 * share).toFixed(digits) + " %";
const nothing = (v, digits) => Math.abs(v) < 0.5 * 10 ** -digits; // what would be written as 0.000
const minus = (v, digits) => (v < 0 && !nothing(v, digits) ? "\u2212" : "") + Math.abs(v).toFixed(digits);
const signed = (v, digits) => (v > 0 && !nothing(v, digits) ? "+" : "") + minus(v, digits);
const effective = (seen, decay) => Math.min(seen, 1) + decay * -Math.expm1(-Math.max(seen - 1, 0) / decay);
// Digits that an interval of this width deserves: two of the width's own.
const digitsOf = (width) => (width > 0 ? Math.min(Math.max(Math.ceil(-Math.log10(width)) + 1, 1), 5) : 3);

// The mixture with weight i at `share`: the same rule as `lab.advice.proposing.live.moved`.
function moved(weights, locked, i, share) {
  const room = weights.reduce((left, w, k) => (locked[k] && k !== i ? left - w : left), 1);
  const others = weights.map((_, k) => k).filter((k) => k !== i && !locked[k]);
  const next = weights.slice();
  next[i] = others.length ? Math.min(Math.max(share, 0), room) : room;
  const held = others.reduce((sum, k) => sum + weights[k], 0);
  for (const k of others) next[k] = (room - next[i]) * (held > 0 ? weights[k] / held : 1 / others.length);
  return next;
}

const LOCKS = ["M6 10V7a4 4 0 0 1 7.5-2M5 10h10v7H5z", "M6 10V7a4 4 0 0 1 8 0v3M5 10h10v7H5z"]; // open, closed

function create(root) {
  const $ = (id) => root.querySelector(id);
  let data = null, base = [], weights = [], locked = [], moving = -1, rows = [], lines = [];
  let slices = null, shares = null, now = null, grid = 0, kept = null, own = {}, timer = 0, frame = 0, built = "";
  let held = false, waiting = null, view = "value", breadth = null;

  const at = (i, g, t, k) => slices[((i * grid + g) * data.prediction.metrics.length + t) * PER + k];
  // All numbers of metric t: the server's own, or between two points of the slice that is moved on.
  function numbers(t) {
    if (moving < 0) return now.subarray(t * PER, (t + 1) * PER);
    const along = shares.subarray(moving * grid, (moving + 1) * grid), x = weights[moving];
    let g = along.findIndex((v) => v >= x);
    if (g < 0) g = grid - 1;
    const left = Math.max(g - 1, 0), span = along[g] - along[left], part = span > 0 ? (x - along[left]) / span : 0;
    return Array.from({ length: PER }, (_, k) => at(moving, left, t, k) * (1 - part) + at(moving, g, t, k) * part);
  }
  const whole = () => data.sources.map((s, k) => s.rest + data.share * weights[k]);

  // Built anew only when a name, a mark or a lock changes: an answer must not take away the slider
  // or the box that somebody is using.
  const looks = () => JSON.stringify([data.of, data.title, locked, data.sources.map((s) => [s.name, s.colour, s.natural, s.saved])]);
  function buildRows() {
    built = looks();
    const head = element("div", "row head");
    head.append(element("span"), element("div", "", data.title));
    for (const text of ["weight, %", "epochs", "worth"]) head.append(element("span", "", text));
    rows = data.sources.map((source, i) => {
      const row = element("div", "row"), middle = element("div"), track = element("div", "track");
      const lock = element("button", "lock"), icon = drawn("svg", { viewBox: "0 0 20 20", "aria-hidden": "true" });
      lock.type = "button";
      lock.setAttribute("aria-pressed", locked[i]);
      lock.setAttribute("aria-label", `Lock ${source.name}`);
      lock.title = locked[i] ? "Locked: keeps its share while others move" : "Lock this share";
      icon.append(drawn("path", { d: LOCKS[+locked[i]], fill: "none", stroke: "currentColor", "stroke-width": 1.7, "stroke-linejoin": "round" }));
      lock.append(icon);
      lock.onclick = () => {
        locked[i] = !locked[i];
        own.emit("locks", { of: data.of, locked: data.sources.filter((_, k) => locked[k]).map((s) => s.name) });
        buildRows();
        if (data.prediction) drawSlices();
        draw();
        root.querySelectorAll(".lock")[i].focus();
      };
      const range = element("input"), box = element("input", "box");
      Object.assign(range, { type: "range", min: 0, max: 100, step: 0.1, disabled: locked[i] });
      range.style.setProperty("--own", source.colour);
      range.setAttribute("aria-label", source.name);
      Object.assign(box, { type: "text", inputMode: "decimal", autocomplete: "off", disabled: locked[i] });
      box.setAttribute("aria-label", `${source.name}, percent`);
      const mark = (className, share, words) => {
        const tick = element("i", className);
        tick.style.left = `calc(8px + (100% - 16px) * ${share})`;
        tick.title = `${words} ${percent(share)}`;
        return tick;
      };
      const name = element("span", "name", source.name);
      name.title = source.name;
      track.append(mark("natural", source.natural, "natural"), mark("saved", source.saved, "saved"), range);
      middle.append(name, track);
      const epochs = element("div", "number"), worth = element("div", "number");
      row.append(lock, middle, box, epochs, worth);
      listen(range, box, i);
      return { row, range, box, epochs, worth };
    });
    $("#rows").replaceChildren(head, ...rows.map((r) => r.row));
  }

  function listen(range, box, i) {
    range.onpointerdown = () => { held = true; };
    range.oninput = () => go(i, Number(range.value) / 100);
    range.onchange = () => (held ? release() : soon());
    range.onpointerup = range.onpointercancel = () => { if (held) release(); };
    range.onkeydown = (event) => {
      event.stopPropagation(); // the page has shortcuts of its own
      if (event.key === "Escape") { clearTimeout(timer); timer = 0; weights = base.slice(); moving = -1; later(); }
      if (event.key === "Enter") commit();
    };
    box.onkeydown = (event) => { event.stopPropagation(); if (event.key === "Enter") enter(box, i); };
    box.onchange = () => enter(box, i);
  }
  function enter(box, i) {
    const value = Number(box.value.replace(",", ".").replace("%", ""));
    const wrong = box.value.trim() === "" || !Number.isFinite(value) || value < 0 || value > 100;
    box.classList.toggle("wrong", wrong);
    if (wrong || Math.abs(value / 100 - weights[i]) < 5e-5) return;
    go(i, value / 100);
    commit();
  }
  // Along one slice the numbers are known; a second weight moved before the answer has to wait.
  function go(i, share) {
    const still = moving < 0 || moving === i;
    weights = moved(still ? base : weights, locked, i, share);
    moving = still ? i : -2;
    later();
  }
  const soon = () => { clearTimeout(timer); timer = setTimeout(commit, KEYS_MS); };
  function release() {
    held = false;
    commit();
    if (waiting) load(waiting);
  }
  function commit() {
    clearTimeout(timer);
    timer = 0;
    if (weights.every((w, k) => Math.abs(w - base[k]) < 1e-6)) { moving = -1; later(); return; }
    // In hundredths of a percent that sum to 100: what rounding leaves goes to the largest other.
    const parts = weights.map((w) => Math.round(1e4 * w)), left = 1e4 - parts.reduce((a, b) => a + b, 0);
    const others = parts.map((_, k) => k).filter((k) => k !== moving && !locked[k]);
    if (others.length) parts[others.reduce((a, b) => (parts[b] > parts[a] ? b : a))] += left;
    own.emit("weights", { of: data.of, weights: Object.fromEntries(data.sources.map((s, k) => [s.name, Math.max(parts[k], 0) / 100])) });
  }

  function buildMetrics() {
    const { metrics, metric } = data.prediction, body = [], head = element("tr");
    for (const [text, className] of [["", ""], ["predicted", ""], [`${data.prediction.level} % interval`, "picture"],
      ["to natural", ""], ["to saved", ""]]) head.append(element("th", className, text));
    $("#metrics thead").replaceChildren(head);
    let group = null;
    lines = metrics.map((m, t) => {
      if (m.group !== group) {
        const title = element("tr", "group"), cell = element("th", "", group = m.group);
        cell.colSpan = 5;
        title.append(cell);
        body.push(title);
      }
      const row = element("tr", (t === metric ? "chosen" : "") + (m.blind ? " blind" : "")), name = element("th", "", m.on), cells = {};
      name.scope = "row";
      name.title = `${m.name}: ${m.lower ? "lower" : "higher"} is better${m.blind ? "; " + m.blind : ""}`;
      name.append(element("small", "", `${m.metric} ${m.lower ? "\u2193" : "\u2191"}`));
      row.append(name);
      for (const key of ["value", "picture", "natural", "saved"]) row.append(cells[key] = element("td", key === "picture" ? key : ""));
      const svg = drawn("svg", { viewBox: "0 0 200 26", preserveAspectRatio: "none", "aria-hidden": "true" });
      const band = drawn("rect", { y: 7, height: 12, rx: 2, fill: "var(--st-primary-color)", opacity: 0.28 });
      const dot = drawn("rect", { y: 4, width: 4, height: 18, rx: 1, fill: "var(--st-primary-color)" });
      const here = now.subarray(t * PER, (t + 1) * PER);
      let low = Infinity, high = -Infinity;
      for (let i = 0; i < data.sources.length; i++) for (let g = 0; g < grid; g++) {
        low = Math.min(low, at(i, g, t, 1)); high = Math.max(high, at(i, g, t, 2));
      }
      const x = (v) => 4 + 192 * Math.min(Math.max((v - low) / (high - low || 1), 0), 1);
      const tick = (v, dash) => drawn("line", { x1: x(v), x2: x(v), y1: 1, y2: 25, stroke: "var(--st-text-color)", "stroke-width": 1.5, opacity: 0.6, "stroke-dasharray": dash, "vector-effect": "non-scaling-stroke" });
      svg.append(band, tick(here[0] - here[3], "none"), tick(here[0] - here[6], "3 2"), dot);
      cells.picture.append(svg);
      body.push(row);
      return { cells, band, dot, x, digits: digitsOf(here[2] - here[1]), lower: m.lower, blind: m.blind };
    });
    $("#metrics tbody").replaceChildren(...body);
  }

  function difference(cell, [value, low, high], digits, lower, blind) {
    if (blind) {
      cell.className = "unresolved";
      cell.title = blind;
      cell.textContent = "no forecast";
      return;
    }
    const sure = low > 0 || high < 0, good = lower ? value < 0 : value > 0;
    const same = [value, low, high].every((v) => nothing(v, digits));
    const word = same ? "same" : !sure ? "unresolved" : good ? "better" : "worse";
    cell.className = same ? "unresolved" : word;
    cell.replaceChildren(`${signed(value, digits)} ${word}`, element("small", "", same ? "" : `${minus(low, digits)} to ${minus(high, digits)}`));
  }

  function drawMetrics() {
    for (const [t, line] of lines.entries()) {
      const n = numbers(t), { digits } = line;
      line.cells.value.replaceChildren(minus(n[0], digits), element("small", "", `${minus(n[1], digits)} to ${minus(n[2], digits)}`));
      line.band.setAttribute("x", line.x(n[1]));
      line.band.setAttribute("width", Math.max(line.x(n[2]) - line.x(n[1]), 1));
      line.dot.setAttribute("x", line.x(n[0]) - 2);
      difference(line.cells.natural, [n[3], n[4], n[5]], digits, line.lower, line.blind);
      difference(line.cells.saved, [n[6], n[7], n[8]], digits, line.lower, line.blind);
    }
  }

  function drawRows() {
    let trained = 0, worth = 0, most = 0;
    for (const [k, { range, box, epochs, worth: cell }] of rows.entries()) {
      const s = data.sources[k], w = weights[k], drawnNow = w * data.draw, here = drawnNow ? drawnNow / s.pool : 0;
      let seen = s.empty || (drawnNow && !s.pool) ? Infinity : 0, value = 0;
      for (const [tokens, before, mine] of s.patterns) {
        const times = before + (mine ? here : 0);
        seen = Math.max(seen, times);
        value += tokens * effective(times, data.decay);
      }
      const all = s.trained + drawnNow;
      range.value = 100 * w;
      range.style.setProperty("--full", `calc(8px + (100% - 16px) * ${w})`);
      range.setAttribute("aria-valuetext", `${percent(w)}, ${seen === Infinity ? "no text left" : compact(seen) + " epochs"}`);
      if (root.getRootNode().activeElement !== box || held) { box.value = (100 * w).toFixed(2).replace(/\.?0+$/, ""); box.classList.remove("wrong"); }
      epochs.className = "number" + (seen > data.cap * (1 + 1e-9) ? " toomany" : seen > 4 ? " many" : "");
      epochs.replaceChildren(seen === Infinity ? "no text" : compact(seen), element("small", "", seen > data.cap * (1 + 1e-9) ? "over cap" : ""));
      cell.replaceChildren(all ? compact(value) : "0", element("small", "", all && Number.isFinite(seen) ? percent(value / all, 0) : ""));
      trained += all; worth += value; most = Math.max(most, seen);
    }
    const box = $("#worth");
    box.textContent = `${compact(trained)} tokens trained are worth ${compact(worth)} fresh ones; no document is seen more than ${most === Infinity ? "allowed: a source has no text left" : compact(most) + " times"}. The line on a slider is the natural share, the arrow the saved one.`;
    Object.assign(box.dataset, { trained, worth, most });
    drawBreadth($("#breadth"), breadth, whole(), data.sources.map((s) => s.whole));
  }

  function drawSupport() {
    const p = data.prediction, total = whole(), known = total.reduce((sum, w, k) => sum + (p.index[k] < 0 ? 0 : w), 0);
    const point = new Float64Array(p.columns);
    total.forEach((w, k) => { if (p.index[k] >= 0) point[p.index[k]] = known ? w / known : 0; });
    let best = Infinity, who = 0;
    for (let r = 0; r < p.names.length; r++) {
      let sum = 0;
      for (let c = 0; c < p.columns; c++) sum += Math.abs(point[c] - kept[r * p.columns + c]);
      if (sum / 2 < best) { best = sum / 2; who = r; }
    }
    const beyond = [];
    let excess = 0;
    data.sources.forEach((s, k) => {
      const c = p.index[k];
      if (c < 0) return;
      let most = 0, least = 1;
      for (let r = 0; r < p.names.length; r++) { most = Math.max(most, kept[r * p.columns + c]); least = Math.min(least, kept[r * p.columns + c]); }
      excess = Math.max(excess, point[c] - most, least - point[c]);
      if (point[c] > most + 0.005) beyond.push(`${s.name} at ${percent(point[c], 0)} (no run had more than ${percent(most, 0)})`);
      if (point[c] < least - 0.005) beyond.push(`${s.name} at ${percent(point[c], 0)} (no run had less than ${percent(least, 0)})`);
    });
    const box = $("#support"), far = best > p.usual || excess > p.usual / 2;
    box.className = far ? "outside" : "";
    box.replaceChildren("The nearest run, ", p.names[who], ", differs from this mixture in ", element("b", "", percent(best, 0)),
      ` of its tokens; runs lie ${percent(p.usual, 0)} from each other. `,
      far ? element("b", "", "Outside what was tried: these numbers are extrapolated, and their intervals do not know it. ") : "Within what was tried",
      far ? "" : beyond.length ? ", all but " : ".", beyond.length ? beyond.join("; ") + "." : "");
    Object.assign(box.dataset, { distance: best, outside: far });
  }

  function drawSlices() {
    const p = data.prediction, t = p.metric, H = 76, digits = lines[t].digits;
    let low = Infinity, high = -Infinity;
    for (let i = 0; i < data.sources.length; i++) for (let g = 0; g < grid; g++) { low = Math.min(low, at(i, g, t, 1)); high = Math.max(high, at(i, g, t, 2)); }
    const y = (v) => 2 + (H - 4) * (1 - (v - low) / (high - low || 1));
    $("#small").replaceChildren(...data.sources.map((s, i) => {
      const box = element("div", "slice"), title = element("p"), ends = element("p", "ends");
      const svg = drawn("svg", { viewBox: `0 0 200 ${H}`, preserveAspectRatio: "none", role: "img", "aria-label": `${p.metrics[t].name} as the weight of ${s.name} moves` });
      const x = (g) => 200 * shares[i * grid + g], points = Array.from({ length: grid }, (_, g) => g);
      const edge = (k) => points.map((g) => `${x(g).toFixed(1)} ${y(at(i, g, t, k)).toFixed(1)}`);
      svg.append(drawn("line", { x1: 0, x2: 200, y1: H, y2: H, stroke: "var(--st-border-color)", "vector-effect": "non-scaling-stroke" }));
      svg.append(drawn("path", { d: `M${edge(1).join("L")}L${edge(2).reverse().join("L")}Z`, fill: s.colour, opacity: 0.25 }));
      svg.append(drawn("path", { d: `M${edge(0).join("L")}`, fill: "none", stroke: s.colour, "stroke-width": 2, "vector-effect": "non-scaling-stroke" }));
      const mark = drawn("line", { y1: 0, y2: H, stroke: "var(--st-text-color)", "stroke-width": 1.5, "stroke-dasharray": "4 3", "vector-effect": "non-scaling-stroke" });
      svg.append(mark);
      const name = element("span", "name", s.name), value = element("span");
      title.append(name, value);
      ends.append(element("span", "", "0 %"), element("span", "", "100 %"));
      box.append(title, svg, ends);
      rows[i].follow = () => {
        mark.setAttribute("x1", 200 * weights[i]);
        mark.setAttribute("x2", 200 * weights[i]);
        value.textContent = percent(weights[i]);
      };
      return box;
    }));
    const caption = $("#slices b");
    caption.textContent = `${p.metrics[t].on} ${p.metrics[t].metric}: one weight at a time, the others in proportion (${minus(low, digits)} at the bottom to ${minus(high, digits)} at the top of each picture, ${p.metrics[t].lower ? "lower" : "higher"} is better)`;
  }

  function draw() {
    frame = 0;
    drawRows();
    const lab = $("#lab");
    if (data.prediction) {
      if (moving > -2) drawMetrics();
      drawSupport();
      for (const row of rows) row.follow?.();
      own.map?.move(whole(), weights);
    }
    lab.classList.toggle("waiting", moving === -2);
    Object.assign(lab.dataset, { state: moving === -1 ? "settled" : "moving", weights: weights.map((w) => (100 * w).toFixed(2)).join(" ") });
  }
  const later = () => { frame ||= requestAnimationFrame(draw); };

  function load(next) {
    if (held || timer) { waiting = next; if (!timer) return; clearTimeout(timer); timer = 0; } // a weight in the hand stays there
    waiting = null;
    data = next;
    base = data.sources.map((s) => s.weight);
    weights = base.slice();
    locked = data.sources.map((s) => s.locked);
    moving = -1;
    breadth = unpackBreadth(data.breadth);
    const p = data.prediction;
    $("#effects").hidden = $("#pictures").hidden = !p;
    $("#lab").classList.toggle("alone", !p);
    if (built !== looks()) buildRows();
    if (p) {
      [slices, shares, now, kept] = [p.slices, p.shares, p.now, p.runs].map(unpack);
      grid = shares.length / data.sources.length;
      buildMetrics();
      drawSlices();
      own.map = drawMap($, data, view, (mixture) => { weights = mixture; moving = -2; later(); commit(); });
    }
    draw();
  }
  for (const name of ["value", "width"]) $(`#view-${name}`).onclick = () => {
    view = name;
    own.map = drawMap($, data, view, own.map.choose);
    draw();
  };
  own = { load, destroy() { clearTimeout(timer); cancelAnimationFrame(frame); } };
  return own;
}

const instances = new WeakMap();

// Called again on every change of data or theme; the returned cleanup runs once, at unmount.
export default function ({ data, parentElement, setTriggerValue }) {
  let own = instances.get(parentElement);
  if (!own) instances.set(parentElement, own = create(parentElement.querySelector("#lab").parentElement));
  own.emit = (what, value) => setTriggerValue(what, value);
  const version = JSON.stringify(data);
  if (own.version !== version) { own.version = version; own.load(data); }
  return () => { own.destroy(); instances.delete(parentElement); };
}
