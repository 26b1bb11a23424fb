// Histograms per source with two cut lines, for Streamlit components v2. No dependencies.
//
// Data: numbers from `lab.curation.cube` and names of sources; no text of a document ever. Along
// places e_0 < e_1 < ... the cells are  (-inf, e_0) {e_0} (e_0, e_1) {e_1} ... (inf),  so a minimum
// at place k keeps the cells from 2k + 1 on, a maximum at k those up to 2k + 1. Everything drawn
// while a line is dragged is added up here; the server hears of it once, when the line is let go:
// trigger "cut", {low, high}, each a number or null.

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 34, COMMIT_KEYS_MS = 500;
const LEAST = 1 / 150; // of the width: a bar between two close thresholds is no spike
const ALL = { documents: 0, tokens: 1 }, PASSING = { documents: 2, tokens: 3 };

const sum = (cells, from, to) => {
  let total = 0;
  for (let i = from; i <= to; i++) total += cells[i];
  return total;
};
const compact = (n) => {
  for (const [step, letter] of [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "k"]]) {
    if (Math.abs(n) >= step * 0.9995) return Number((n / step).toPrecision(3)) + letter;
  }
  return String(Number(n.toPrecision(3)));
};
const exact = (n) => n.toLocaleString("en-US");
const percent = (part, whole) => (whole ? (100 * part / whole).toFixed(1) : "0.0") + " %";
const plain = (v) => (v === null ? "" : String(Number(v.toPrecision(10))));
const words = (v) => (v === null ? "none" : Math.abs(v) < 1e5 ? plain(v) : exact(v));
const element = (tag, className, text) => {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
};

// Where a value lies between 0 and 1 of the picture; beyond it, outside of that.
function axis(data) {
  const [low, high] = data.view;
  if (data.scale !== "log") return (v) => (v - low) / (high - low || 1);
  const span = Math.log(high / low) || 1;
  return (v) => (v > 0 ? Math.log(v / low) / span : -1);
}

// Bars between neighbouring places, as [left, right, first cell, last cell]. The last one in the
// picture holds its place alone: what lies beyond is counted, never added to the bar at the end.
function bars(data, at) {
  const found = [], { places } = data;
  for (let k = 0; k < places.length; k++) {
    const left = at(places[k]), next = k + 1 < places.length ? at(places[k + 1]) : Infinity;
    if (left < -1e-9 || left >= 1) continue;
    found.push([left, Math.min(next, 1), 2 * k + 1, next > 1 + 1e-9 ? 2 * k + 1 : 2 * k + 2]);
  }
  return found;
}

// Per pixel, so that a bar split by a threshold does not look like two small ones; square root, so
// that the thin ends of a distribution, where thresholds lie, can be seen.
function path(heights, shapes) {
  return shapes.map(([left, right], i) => {
    const y = HEIGHT * (1 - heights[i]), x = 1000 * left, w = Math.max(1000 * (right - left) - 1.5, 0.5);
    return heights[i] > 0 ? `M${x.toFixed(1)} ${HEIGHT}V${y.toFixed(2)}h${w.toFixed(1)}V${HEIGHT}z` : "";
  }).join("");
}

function create(root, emit) {
  const $ = (id) => root.querySelector(id);
  const lines = { low: $("#low-line"), high: $("#high-line") };
  const boxes = { low: $("#low-box"), high: $("#high-box") };
  let data = null, at = null, shapes = [], rows = [], cut = { low: null, high: null };
  let drag = null, waiting = null, timer = 0, frame = 0;

  const whole = (side, v) => (side === "high" && data.scale === "whole" && Number.isInteger(v) ? v + 1 : v);
  const place = (side) => {
    if (cut[side] === null) return side === "low" ? 0 : 1;
    return Math.min(Math.max(at(whole(side, cut[side])), 0), 1);
  };
  // First and last cell that bounds keep; a bound that is no place counts from the next one on.
  const span = (low, high) => {
    const { places } = data, end = 2 * places.length;
    const first = low === null ? 0 : 2 * places.findIndex((p) => p >= low) + 1;
    const last = high === null ? end : 2 * places.findLastIndex((p) => p <= high) + 1;
    return [low !== null && first < 1 ? end : first, high !== null && last < 1 ? 0 : last];
  };

  function build() {
    at = axis(data);
    shapes = bars(data, at);
    const head = element("div", "row head");
    const titles = element("div", "numbers");
    for (const [name, text] of [["documents", "documents"], ["tokens", "tokens"], ["share", "kept"],
      ["epochs", data.budgeted ? "epochs" : ""]]) titles.append(element("span", name, text));
    head.append(element("div", "name", data.unit), element("div"), titles);
    const list = [head];
    rows = data.sources.map((source) => {
      const row = element("div", "row" + (source.moves ? "" : " fixed") + (source.reference ? " reference" : ""));
      const name = element("div", "name", source.name);
      const why = source.reference ? "reference" : source.moves ? "" : "not moved";
      if (why) name.append(element("small", "", why));
      name.title = source.name;
      const svg = document.createElementNS(SVG, "svg");
      svg.setAttribute("viewBox", `0 0 1000 ${HEIGHT}`);
      svg.setAttribute("preserveAspectRatio", "none");
      svg.setAttribute("aria-hidden", "true");
      const all = document.createElementNS(SVG, "path"), kept = document.createElementNS(SVG, "path");
      all.setAttribute("class", "all");
      kept.setAttribute("fill", source.colour);
      svg.append(all, kept);
      const numbers = element("div", "numbers"), cells = {};
      for (const key of ["documents", "tokens", "share", "epochs"]) numbers.append(cells[key] = element("span", key));
      row.append(name, svg, numbers);
      list.push(row);
      const density = (cells, [left, right, from, to]) => sum(cells, from, to) / Math.max(right - left, LEAST);
      const drawn = shapes.map((shape) => density(source.cells[ALL[data.unit]], shape));
      const most = Math.max(...drawn, 1e-12);
      all.setAttribute("d", path(drawn.map((d) => Math.sqrt(d / most)), shapes));
      return { source, kept, cells, most, density };
    });
    $("#list").replaceChildren(...list);
    const marks = [0, 0.25, 0.5, 0.75, 1].map((share) => {
      const [low, high] = data.view;
      const value = data.scale === "log" ? low * (high / low) ** share : low + share * (high - low);
      const mark = element("span", "", compact(data.scale === "whole" ? Math.round(value) : value));
      mark.style.left = `${100 * at(data.scale === "whole" ? Math.round(value) : value)}%`;
      return mark;
    });
    $("#axis").replaceChildren(...marks);
    const outside = data.sources.filter((s) => s.counted).reduce(([below, above], s) => {
      const docs = s.cells[0], inside = shapes.reduce((n, [, , from, to]) => n + sum(docs, from, to), 0);
      const under = sum(docs, 0, shapes.length ? shapes[0][2] - 1 : docs.length - 1);
      return [below + under, above + sum(docs, 0, docs.length - 1) - inside - under];
    }, [0, 0]);
    $("#note").textContent = "Bar heights on a square-root scale. " + (data.scale === "log" ? "Logarithmic axis. " : "") +
      (outside[0] + outside[1] ? `${exact(outside[0])} documents lie below the picture and ${exact(outside[1])} above it; all are counted.` : "Every document is drawn.");
  }

  // Sources with thresholds of their own keep them until a line is moved for all.
  const apart = () => data.mixed && cut.low === data.low && cut.high === data.high;

  function measure(row) {
    const { source } = row, bounds = source.moves && !apart() ? cut : source;
    const [first, last] = span(bounds.low, bounds.high);
    return { first, last, documents: sum(source.cells[2], first, last), tokens: sum(source.cells[3], first, last) };
  }

  function draw() {
    frame = 0;
    const total = { documents: 0, tokens: 0, documentsOf: 0, tokensOf: 0 };
    for (const row of rows) {
      const kept = measure(row), { source, cells } = row, passing = source.cells[PASSING[data.unit]];
      const inside = passing.map((n, i) => (i >= kept.first && i <= kept.last ? n : 0));
      row.kept.setAttribute("d", path(shapes.map((s) => Math.sqrt(row.density(inside, s) / row.most)), shapes));
      const all = source.cells[1].reduce((a, b) => a + b, 0);
      cells.documents.textContent = compact(kept.documents);
      cells.documents.title = exact(kept.documents);
      cells.tokens.textContent = compact(kept.tokens);
      cells.tokens.title = exact(kept.tokens);
      cells.share.textContent = percent(kept.tokens, all);
      const epochs = source.draw === null ? null : kept.tokens ? source.draw / kept.tokens : Infinity;
      cells.epochs.textContent = epochs === null || source.draw === 0 ? "" : epochs === Infinity ? "no text" : compact(epochs);
      cells.epochs.className = "epochs" + (epochs > 16 ? " toomany" : epochs > data.cap ? " many" : "");
      if (!source.counted) continue;
      total.documents += kept.documents; total.tokens += kept.tokens;
      total.documentsOf += source.cells[0].reduce((a, b) => a + b, 0); total.tokensOf += all;
    }
    const box = $("#total"), bold = element("b", "", compact(total.tokens) + " tokens");
    box.replaceChildren("Kept ", bold, ` (${percent(total.tokens, total.tokensOf)}), ${exact(total.documents)} of ${exact(total.documentsOf)} documents`);
    Object.assign(box.dataset, { documents: total.documents, tokens: total.tokens, answered: `${data.low ?? ""}..${data.high ?? ""}` });
    for (const side of ["low", "high"]) {
      const x = 100 * place(side), line = lines[side], { places } = data;
      line.style.left = `${x}%`;
      line.classList.toggle("off", cut[side] === null);
      line.setAttribute("aria-valuemin", places[0]);
      line.setAttribute("aria-valuemax", places[places.length - 1]);
      line.setAttribute("aria-valuenow", cut[side] ?? places[side === "low" ? 0 : places.length - 1]);
      line.setAttribute("aria-valuetext", `${words(cut[side])}; ${percent(total.tokens, total.tokensOf)} of tokens kept`);
      boxes[side].placeholder = apart() ? "differs" : "none";
      if (root.getRootNode().activeElement !== boxes[side] || drag) boxes[side].value = plain(cut[side]);
    }
  }
  const later = () => { frame ||= requestAnimationFrame(draw); };

  // Move one line; it never passes the other. Beyond the picture there is no bound.
  function move(side, value) {
    if (value !== null && side === "low" && cut.high !== null) value = Math.min(value, cut.high);
    if (value !== null && side === "high" && cut.low !== null) value = Math.max(value, cut.low);
    cut = { ...cut, [side]: value };
    later();
  }
  function nearest(side, share) {
    if (side === "low" ? share <= 0 : share >= 1) return null;
    let best = null, least = Infinity;
    for (const value of data.places) {
      const off = Math.abs(at(whole(side, value)) - share);
      if (off < least && at(value) >= -1e-9) { least = off; best = value; }
    }
    return best;
  }
  function commit() {
    clearTimeout(timer);
    timer = 0;
    if (cut.low !== data.low || cut.high !== data.high) emit({ low: cut.low, high: cut.high, of: data.of });
  }
  const step = (side, by) => {
    const { places } = data, now = cut[side];
    const k = now === null ? (side === "low" ? -1 : places.length) : places.findIndex((p) => p >= now);
    const next = k + by;
    move(side, next < 0 ? (side === "low" ? null : places[0]) : next >= places.length ? (side === "high" ? null : places[places.length - 1]) : places[next]);
    clearTimeout(timer);
    timer = setTimeout(commit, COMMIT_KEYS_MS);
  };

  for (const side of ["low", "high"]) {
    const line = lines[side], box = boxes[side];
    line.onpointerdown = (event) => {
      event.preventDefault();
      line.focus({ preventScroll: true });
      line.setPointerCapture(event.pointerId);
      drag = { side, before: { ...cut } };
      line.classList.add("held");
    };
    line.onpointermove = (event) => {
      if (drag?.side !== side) return;
      const frame = $("#stage").getBoundingClientRect();
      move(side, nearest(side, (event.clientX - frame.left) / frame.width));
    };
    line.onpointerup = line.onpointercancel = (event) => {
      if (!drag) return;
      line.classList.remove("held");
      if (event.type === "pointercancel") cut = drag.before;
      drag = null;
      commit(); // the only place where a drag talks to the server
      if (waiting) load(waiting); else later();
    };
    line.onkeydown = (event) => {
      const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -8, PageUp: 8 }[event.key];
      if (by) step(side, by);
      else if (event.key === "Home") { move(side, side === "low" ? null : data.places[0]); commit(); }
      else if (event.key === "End") { move(side, side === "high" ? null : data.places[data.places.length - 1]); commit(); }
      else if (event.key === "Enter") commit();
      else if (event.key === "Escape") { clearTimeout(timer); cut = { low: data.low, high: data.high }; later(); }
      else return;
      event.preventDefault();
      event.stopPropagation(); // the page has shortcuts of its own
    };
    line.onblur = () => { if (timer) commit(); };
    box.onkeydown = (event) => {
      event.stopPropagation();
      if (event.key === "Enter") { enter(side); }
    };
    box.onchange = () => enter(side);
  }
  function enter(side) {
    const text = boxes[side].value.trim().replaceAll(",", ""), value = text === "" ? null : Number(text);
    boxes[side].classList.toggle("wrong", value !== null && !Number.isFinite(value));
    if (value !== null && !Number.isFinite(value)) return;
    const other = side === "low" ? "high" : "low";
    cut = { ...cut, [side]: value };
    if (cut.low !== null && cut.high !== null && cut.low > cut.high) cut[other] = value;
    later();
    commit();
  }

  function load(next) {
    if (drag) { waiting = next; return; } // a line in the hand stays in the hand
    waiting = null;
    if (timer && data?.of === next.of) commit();
    data = { ...next, sources: next.sources.map((s) => ({ ...s, cells: s.cells.map((row) => row.split(",").map(Number)) })) };
    cut = { low: data.low, high: data.high };
    build();
    draw();
  }
  return { load, destroy() { clearTimeout(timer); cancelAnimationFrame(frame); } };
}

const instances = new WeakMap();

// Called again on every change of data or theme; the returned cleanup runs once, at unmount.
export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector("#cut");
  let own = instances.get(parentElement);
  if (!own) instances.set(parentElement, own = create(root, (cut) => own.emit(cut)));
  own.emit = (cut) => setTriggerValue("cut", cut);
  const version = JSON.stringify(data);
  if (own.version !== version) { own.version = version; own.load(data); }
  return () => { own.destroy(); instances.delete(parentElement); };
}
