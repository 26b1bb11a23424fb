// The map: canvas, tools, tooltip and legend, for Streamlit components v2. No dependencies.
//
// Data: header, then u16 x[n], u16 y[n] (board.js); palette bytes, labels and the selected polygon
// come through the components beside it. Out: trigger "area", {of, corners} with corners in steps of
// the map's square (none: the selection is given up); state "gl", "missing" where there is no WebGL 2.

const FULL = 65535, TOLERANCE = 1.2, MOST = 300, SMALLEST = 12; // pixels, corners, square pixels
const HOVER = 10, QUICK_MS = 50, REST_MS = 350, SETTLE_MS = 140, DEEPEST = 400;
const SLOW_MS = 50, FAST_MS = 24, FEWEST = 20000; // of a frame while the view moves; points drawn then
const home = () => ({ zoom: 0.94, x: 0, y: 0 }); // x, y: shift in halves of the frame

function create(root, emit, missing) {
  const $ = (id) => root.querySelector(id);
  const canvas = $("#points"), overlay = $("#overlay"), frame = $("#frame"), tip = $("#tip"), note = $("#note");
  const painter = pointPainter(canvas, () => { note.textContent = ""; root.dataset.restored = Number(root.dataset.restored || 0) + 1; later(); });
  if (!painter) { missing(); return null; }
  const pen = overlay.getContext("2d"), layer = labelLayer($("#labels"));
  let width = 1, height = 1, ratio = 1, view = home(), scene = null, codes = null, place = null, area = [];
  let stamp = 0, any = false, sketch = null, ticket = 0, settle = 0, moving = false, quick = 0, rest = 0, shown = -1;
  let budget = 500000, last = 0;

  // Scales keep the map square whatever the frame.
  const scale = () => [view.zoom * Math.min(1, height / width), view.zoom * Math.min(1, width / height)];
  const matrix = () => [...scale(), view.x, view.y];
  const toPixel = (x, y) => {
    const [sx, sy] = scale();
    return [(((x / FULL) * 2 - 1) * sx + view.x + 1) / 2 * width, (1 - ((y / FULL) * 2 - 1) * sy - view.y) / 2 * height];
  };
  const toStep = ([px, py]) => {
    const [sx, sy] = scale();
    return [((px / width * 2 - 1 - view.x) / sx + 1) / 2 * FULL, ((1 - py / height * 2 - view.y) / sy + 1) / 2 * FULL];
  };

  function outline(points) {
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    if (!points || points.length < 2) return;
    pen.beginPath();
    points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    pen.closePath();
    pen.strokeStyle = pen.fillStyle = getComputedStyle(root).getPropertyValue("--st-primary-color") || "#0f6e66";
    pen.lineWidth = 2;
    pen.stroke();
    pen.globalAlpha = 0.07;
    pen.fill();
    pen.globalAlpha = 1;
  }
  function draw() {
    ticket = 0;
    if (ratio !== (window.devicePixelRatio || 1)) measure();
    const now = performance.now(), took = now - last;
    if (moving && last && took > SLOW_MS) budget = Math.max(FEWEST, budget * 0.6);
    else if (moving && last && took < FAST_MS) budget = Math.min(4e6, budget * 1.2);
    last = moving ? now : 0;
    root.dataset.drawn = painter.draw(matrix(), ratio, moving ? budget : Infinity, any);
    outline(sketch || area.map(([x, y]) => toPixel(x, y)));
    root.dataset.labels = layer.place(toPixel, width, height);
    root.dataset.view = [view.zoom, view.x, view.y].map((v) => v.toFixed(4)).join(" ");
    if (painter.lost) note.textContent = "The graphics card gave the picture up; waiting to draw it again.";
  }
  const later = () => { ticket ||= requestAnimationFrame(draw); };
  const stir = () => {
    moving = true;
    clearTimeout(settle);
    settle = setTimeout(() => { moving = false; later(); }, SETTLE_MS);
    later();
  };
  function measure() {
    ratio = window.devicePixelRatio || 1;
    width = Math.max(1, frame.clientWidth);
    height = Math.max(1, frame.clientHeight);
    for (const c of [canvas, overlay]) { c.width = Math.round(width * ratio); c.height = Math.round(height * ratio); }
    root.dataset.size = `${canvas.width} ${canvas.height}`;
    later();
  }

  // The nearest drawn point within reach of the pointer; one look at every point, 3 ms a million.
  function nearest(pixel) {
    if (!place || !codes) return -1;
    const [x, y] = toStep(pixel), [sx, sy] = scale();
    const wide = HOVER / (sx * width / 2) * FULL / 2, high = HOVER / (sy * height / 2) * FULL / 2;
    let best = -1, least = 1;
    for (let i = 0; i < codes.length; i++) {
      const dx = (place[2 * i] - x) / wide, dy = (place[2 * i + 1] - y) / high;
      if (dx > 1 || dx < -1 || dy > 1 || dy < -1) continue;
      const far = dx * dx + dy * dy;
      if (far < least) { least = far; best = i; }
    }
    return best;
  }
  function hide() { clearTimeout(quick); clearTimeout(rest); tip.hidden = true; }
  function show(point, [px, py]) {
    tip.textContent = scene?.names[codes[point]] || "";
    tip.hidden = !tip.textContent;
    tip.style.transform = `translate(${Math.min(px + 14, width - tip.offsetWidth - 4)}px, ${Math.max(2, py - 30)}px)`;
  }
  function tell(point) {
    if (point < 0 || point === shown) return;
    shown = point;
    board.put("under", { of: stamp, point });
  }

  const act = {
    move(dx, dy) { view.x += dx / width * 2; view.y -= dy / height * 2; stir(); },
    zoom(factor, pixel) {
      const next = Math.min(DEEPEST, Math.max(0.3, view.zoom * factor)), by = next / view.zoom;
      const [px, py] = pixel || [width / 2, height / 2], x = px / width * 2 - 1, y = 1 - py / height * 2;
      view = { zoom: next, x: x - (x - view.x) * by, y: y - (y - view.y) * by };
      stir();
    },
    home() { view = home(); stir(); },
    sketch(path) { sketch = path; outline(sketch || area.map(([x, y]) => toPixel(x, y))); },
    select(path) {
      sketch = null;
      if (path.length < 3 || areaOf(path) < SMALLEST) { later(); return; }
      let tolerance = TOLERANCE, corners = simplified(path, tolerance);
      while (corners.length > MOST) corners = simplified(path, tolerance *= 1.5);
      const steps = corners.map((c) => toStep(c).map((v) => Math.round(Math.min(2 * FULL, Math.max(-FULL, v)))));
      if (steps.length < 3) { later(); return; }
      setArea(steps); // at once; the server says the same when it has counted
      emit({ of: stamp, corners: steps });
    },
    selectView() { act.select(boxOf([0, 0], [width, height])); },
    clear() { setArea([]); emit({ of: stamp, corners: [] }); },
    pick(pixel) { const point = nearest(pixel); if (point >= 0) { show(point, pixel); tell(point); } },
    rest(pixel, kind) {
      hide();
      if (kind === "touch") return;
      quick = setTimeout(() => { const point = nearest(pixel); if (point >= 0) show(point, pixel); }, QUICK_MS);
      rest = setTimeout(() => tell(nearest(pixel)), REST_MS);
    },
    leave: hide,
  };
  gestures(overlay, () => root.querySelector("input[name=tool]:checked").value, act);
  $("#closer").onclick = () => act.zoom(1.6, null);
  $("#farther").onclick = () => act.zoom(1 / 1.6, null);
  $("#home").onclick = act.home;
  $("#view").onclick = act.selectView;
  $("#clear").onclick = act.clear;

  function setArea(corners) {
    area = corners;
    if (place) painter.set("chosen", insideFlags(place, area));
    any = area.length > 2 || (scene?.greys ?? false);
    root.dataset.corners = area.length;
    later();
  }
  function listen(name) {
    if (name === "scene" && board.held.scene) load(board.held.scene);
    if (name === "codes" && board.held.codes?.stamp === stamp) {
      codes = board.held.codes.codes;
      painter.set("code", codes);
      later();
    }
  }
  function load(next) {
    if (next.of !== stamp) return;
    scene = next;
    painter.setPalette(Uint8Array.from({ length: 256 * 4 }, (_, i) => (i % 4 === 3 ? 255 : next.palette[i >> 2]?.[i % 4] ?? 0)));
    painter.grey(next.grey);
    layer.load(next.labels);
    $("#legend").replaceChildren(...next.legend.map(({ colour, text }) => {
      const item = document.createElement("li"), swatch = document.createElement("i");
      swatch.style.background = `rgb(${colour.join(",")})`;
      item.append(swatch, document.createTextNode(text));
      return item;
    }));
    setArea(next.area);
  }

  const watcher = new ResizeObserver(measure);
  watcher.observe(frame);
  board.listeners.add(listen);
  measure();
  return {
    load(bytes) {
      const [count, of] = headerOf(bytes), body = bodyOf(bytes);
      const x = new Uint16Array(body, 0, count), y = new Uint16Array(body, 2 * count, count);
      place = new Uint16Array(2 * count);
      for (let i = 0; i < count; i++) { place[2 * i] = x[i]; place[2 * i + 1] = y[i]; }
      stamp = of;
      shown = -1;
      painter.set("place", place);
      painter.set("code", new Uint8Array(count).fill(1));
      codes = null;
      listen("codes");
      setArea([]);
      listen("scene");
      draw();
      painter.finish();
    },
    repaint: later,
    destroy() {
      cancelAnimationFrame(ticket);
      [settle, quick, rest].forEach(clearTimeout);
      watcher.disconnect();
      board.listeners.delete(listen);
      painter.destroy();
    },
  };
}

const instances = new WeakMap();

// Called again on every change of data or theme; the returned cleanup runs once, at unmount.
export default function ({ data, parentElement, setTriggerValue, setStateValue }) {
  const root = parentElement.querySelector("#atlas");
  const bytes = bytesOf(data), key = headerOf(bytes).join(" ");
  let own = instances.get(parentElement);
  if (!own) {
    own = { key: "" };
    instances.set(parentElement, own);
    own.plot = create(root, (value) => own.emit(value), () => setStateValue("gl", "missing"));
  }
  own.emit = (value) => setTriggerValue("area", value);
  if (own.plot && own.key !== key) {
    const start = performance.now();
    own.key = key;
    own.plot.load(bytes);
    root.dataset.loads = Number(root.dataset.loads || 0) + 1; // read by the browser tests
    root.dataset.loadMs = Math.round(performance.now() - start);
  }
  own.plot?.repaint();
  return () => { own.plot?.destroy(); instances.delete(parentElement); };
}
