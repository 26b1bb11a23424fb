// Pointer, wheel, pinch and keys on the map. `act` is told what is meant; nothing is decided here
// about what it means.

const STEP = 60, CLICK = 4; // pixels

function gestures(surface, tool, act) {
  const down = new Map(); // pointers that touch, by id
  let drag = null, pinch = null;
  const at = (event) => {
    const box = surface.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const spread = () => {
    const [a, b] = [...down.values()];
    return { middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], apart: Math.hypot(a[0] - b[0], a[1] - b[1]) || 1 };
  };

  surface.onpointerdown = (event) => {
    if (event.button) return;
    surface.setPointerCapture(event.pointerId);
    down.set(event.pointerId, at(event));
    act.leave();
    if (down.size === 2) { drag = null; act.sketch(null); pinch = spread(); return; }
    if (down.size > 2) return;
    const kind = event.shiftKey ? "lasso" : tool();
    drag = { kind, start: at(event), last: at(event), path: [at(event)], far: 0 };
  };
  surface.onpointermove = (event) => {
    if (!down.has(event.pointerId)) { act.rest(at(event), event.pointerType); return; }
    const point = at(event);
    down.set(event.pointerId, point);
    if (pinch && down.size === 2) {
      const now = spread();
      act.move(now.middle[0] - pinch.middle[0], now.middle[1] - pinch.middle[1]);
      act.zoom(now.apart / pinch.apart, now.middle);
      pinch = now;
      return;
    }
    if (!drag) return;
    drag.far = Math.max(drag.far, Math.hypot(point[0] - drag.start[0], point[1] - drag.start[1]));
    if (drag.kind === "move") act.move(point[0] - drag.last[0], point[1] - drag.last[1]);
    else if (drag.kind === "lasso") { drag.path.push(point); act.sketch(drag.path); }
    else act.sketch(drag.path = boxOf(drag.start, point));
    drag.last = point;
  };
  surface.onpointerup = (event) => {
    down.delete(event.pointerId);
    if (down.size < 2) pinch = null;
    const done = drag;
    drag = null;
    if (!done) return;
    if (done.far < CLICK) { act.sketch(null); act.pick(at(event)); }
    else if (done.kind !== "move") act.select(done.path); // the only place where a drag tells the server
  };
  surface.onpointercancel = (event) => { down.delete(event.pointerId); drag = pinch = null; act.sketch(null); };
  surface.onpointerleave = () => act.leave();
  surface.onwheel = (event) => {
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1);
    act.zoom(Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.0015)), at(event));
  };
  surface.onkeydown = (event) => {
    if (event.altKey || event.metaKey || (event.ctrlKey && event.key !== "z")) return;
    const moves = { ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] }[event.key];
    if (moves) act.move(...moves);
    else if (event.key === "+" || event.key === "=") act.zoom(1.4, null);
    else if (event.key === "-" || event.key === "_") act.zoom(1 / 1.4, null);
    else if (event.key === "0" || event.key === "Home") act.home();
    else if (event.key === "Enter") act.selectView();
    else if (event.key === "Escape") { drag = null; act.sketch(null); act.clear(); }
    else return;
    event.preventDefault();
    event.stopPropagation(); // the page has shortcuts of its own
  };
}

const boxOf = ([x0, y0], [x1, y1]) => [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
