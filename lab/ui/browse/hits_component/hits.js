// The list of documents, for Streamlit components v2. No dependencies.
//
// Data: ids, numbers, and excerpts of documents as pieces [text, marked]. Every one of them becomes a
// text node (`textContent`), so nothing in a document can be markup, an address or a script. A click
// sends trigger "open", the id. Keys, wherever the focus is but in a box: S goes to the search,
// arrow left and right send trigger "step", -1 or 1.

const element = (tag, className, text) => {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
};

function hit(row, open) {
  const button = element("button", "hit" + (row.open ? " open" : ""));
  button.type = "button";
  button.setAttribute("role", "option");
  button.setAttribute("aria-selected", row.open ? "true" : "false");
  const head = element("div", "head");
  head.append(element("span", "id", row.id));
  for (const [words, kind] of row.facts) head.append(element("span", kind, words));
  if (row.value) head.append(element("span", "value", row.value));
  const body = element("div", "body");
  body.dir = "auto";
  for (const [text, marked] of row.pieces) body.append(element(marked ? "mark" : "span", "", text));
  if (!row.pieces.length) body.append(element("span", "blank", "an empty text"));
  button.append(head, body);
  button.onclick = () => open(row.id);
  return button;
}

function keys(send) {
  return (event) => {
    const at = event.composedPath()[0];
    const typing = at instanceof HTMLElement && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName));
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "s" || event.key === "S") {
      document.querySelector('input[aria-label="Search"]')?.focus();
      event.preventDefault();
    } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      if (at instanceof HTMLElement && /^(radio|slider|tab|option|gridcell)$/.test(at.getAttribute("role") || "") && !at.classList.contains("hit")) return;
      send(event.key === "ArrowLeft" ? -1 : 1);
      event.preventDefault();
    }
  };
}

const instances = new WeakMap();

// Called again on every change of data or theme; the returned cleanup runs once, at unmount.
export default function ({ data, parentElement, setTriggerValue }) {
  let own = instances.get(parentElement);
  if (!own) {
    own = {};
    own.keys = keys((step) => own.step(step));
    document.addEventListener("keydown", own.keys);
    instances.set(parentElement, own);
  }
  own.step = (step) => setTriggerValue("step", step);
  const version = JSON.stringify(data);
  if (own.version !== version) {
    own.version = version;
    const root = parentElement.querySelector("#hits");
    root.replaceChildren(...data.rows.map((row) => hit(row, (id) => setTriggerValue("open", id))));
  }
  return () => { document.removeEventListener("keydown", own.keys); instances.delete(parentElement); };
}
