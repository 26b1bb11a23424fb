// Words of clusters on the map: the largest first, each only where it covers no other, so that more
// appear as one comes closer. The words come from texts of strangers: they are text nodes, always.

const MOST_LABELS = 200, GAP = 6;

function labelLayer(root) {
  let spans = [];
  return {
    load(labels) {
      spans = labels.slice(0, MOST_LABELS).map((one) => {
        const span = document.createElement("span");
        span.textContent = one.text;
        span.dir = "auto";
        return { span, x: one.x, y: one.y, width: 0, height: 0 };
      });
      root.replaceChildren(...spans.map((one) => one.span));
      for (const one of spans) { one.width = one.span.offsetWidth; one.height = one.span.offsetHeight; }
    },
    place(toPixel, width, height) {
      const taken = [];
      for (const one of spans) {
        const [x, y] = toPixel(one.x, one.y);
        const left = x - one.width / 2 - GAP, top = y - one.height / 2 - GAP;
        const right = left + one.width + 2 * GAP, bottom = top + one.height + 2 * GAP;
        const free = left >= -20 && right <= width + 20 && top >= 0 && bottom <= height
          && !taken.some((t) => left < t[2] && right > t[0] && top < t[3] && bottom > t[1]);
        one.span.style.visibility = free ? "visible" : "hidden";
        if (!free) continue;
        taken.push([left, top, right, bottom]);
        one.span.style.transform = `translate(${(x - one.width / 2).toFixed(1)}px, ${(y - one.height / 2).toFixed(1)}px)`;
      }
      return taken.length;
    },
  };
}
