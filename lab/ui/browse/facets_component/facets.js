// Facets with two-layer bars, for Streamlit components v2. No dependencies.
//
// Data: names of sources, tags, rules and bins and words of topics with two amounts each, shown as
// text nodes; no text of a document. The grey bar is the pool, the coloured one what matches; widths
// are square roots, so that a small part can be seen beside a large one. A click sends trigger "pick"
// {facet, part}; the server checks both.

const compact = (n) => {
  for (const [step, letter] of [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e4, "k"]]) {
    if (n >= step) return Number((n / (step === 1e4 ? 1e3 : step)).toPrecision(3)) + letter;
  }
  return n.toLocaleString("en-US");
};
const element = (tag, className, text) => {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
};

function part(facet, row, largest, unit, pick) {
  const button = element("button", "part" + (row.active ? " active" : "") + (row.match ? "" : " none"));
  button.type = "button";
  button.setAttribute("aria-pressed", row.active ? "true" : "false");
  button.title = `${row.part}: ${row.match.toLocaleString("en-US")} of ${row.pool.toLocaleString("en-US")} ${unit} match` +
    (row.active ? "; click to remove the filter" : "; click to see only these");
  const name = element("span", "name", (row.active ? "✓ " : "") + row.part);
  const amount = element("span", "amount", compact(row.match));
  if (row.match !== row.pool) amount.append(element("small", "", " / " + compact(row.pool)));
  const bar = element("span", "bar");
  for (const layer of ["pool", "match"]) {
    const piece = element("i", layer);
    piece.style.width = 100 * Math.sqrt(row[layer] / (largest || 1)) + "%";
    bar.append(piece);
  }
  button.append(name, amount, bar);
  button.onclick = () => pick({ facet: facet.name, part: row.part });
  return button;
}

const MOST = 14; // parts of a facet that are drawn before the rest is asked for
const whole = new Set(); // facets that were asked for whole

// Parts beyond the first are a click away, and announced; a filter is never hidden.
function parts(facet, unit, pick, again) {
  const largest = Math.max(...facet.rows.map((row) => row.pool));
  const all = whole.has(facet.name);
  const seen = facet.rows.filter((row, k) => all || k < MOST || row.active);
  const drawn = seen.map((row) => part(facet, row, largest, unit, pick));
  const hidden = facet.rows.length - seen.length;
  if (hidden || all) {
    const more = element("button", "more", all ? "fewer" : `${hidden} more`);
    more.type = "button";
    more.onclick = () => { all ? whole.delete(facet.name) : whole.add(facet.name); again(); };
    drawn.push(more);
  }
  if (facet.unsent && (all || !hidden)) {
    drawn.push(element("p", "unsent", `${facet.unsent.toLocaleString("en-US")} smaller ones are not listed`));
  }
  return drawn;
}

function draw(root, data, pick) {
  const again = () => draw(root, data, pick);
  const all = element("div", "all");
  for (const facet of data.facets) {
    const box = element("div", "facet");
    const head = element("h4", "", facet.title);
    box.append(head, ...parts(facet, data.unit, pick, again));
    all.append(box);
  }
  root.replaceChildren(all);
}

const drawn = new WeakMap();

// Called again on every change of data or theme.
export default function ({ data, parentElement, setTriggerValue }) {
  const version = JSON.stringify(data);
  if (drawn.get(parentElement) === version) return;
  drawn.set(parentElement, version);
  draw(parentElement.querySelector("#facets"), data, (picked) => setTriggerValue("pick", picked));
}
