// Breadth of a mixture while a weight moves: the polynomials of `lab.diversity.breadth.closed`, at
// the shares of the whole run in the sources that were measured.

function breadthOf(b, total) {
  const known = b.index.reduce((sum, k) => sum + total[k], 0), n = b.index.length;
  if (!(known > 0)) return null;
  const w = b.index.map((k) => total[k] / known), clusters = b.shares.length / n;
  let length = 0, square = 0, trace = 0, form = 0;
  for (let s = 0; s < n; s++) {
    trace += w[s] * b.trace[s];
    for (let t = 0; t < n; t++) {
      length += w[s] * w[t] * b.mean[s * n + t];
      square += w[s] * w[t] * b.second[s * n + t];
      for (let u = 0; u < n; u++) form += w[s] * w[t] * w[u] * b.form[(s * n + t) * n + u];
    }
  }
  let entropy = 0;
  for (let c = 0; c < clusters; c++) {
    let p = 0;
    for (let s = 0; s < n; s++) p += w[s] * b.shares[s * clusters + c];
    if (p > 0) entropy -= p * Math.log(p);
  }
  const spread = trace - length;
  return { order2: spread ** 2 / (square - 2 * form + length ** 2), clusters: Math.exp(entropy), known };
}

const unpackBreadth = (b) => b && {
  ...b, ...Object.fromEntries(["trace", "mean", "second", "form", "shares"].map((name) => [name, unpack(b[name])])),
};

function drawBreadth(box, b, total, saved) {
  const now = b && breadthOf(b, total), before = now && breadthOf(b, saved);
  box.hidden = !now;
  if (!now) return;
  const than = (key) => (before ? ` (saved ${compact(before[key])})` : "");
  box.replaceChildren(
    element("b", "", compact(now.order2)), ` effective directions of order 2${than("order2")}, `,
    element("b", "", compact(now.clusters)), ` effective clusters${than("clusters")}`,
    now.known < 0.9995 ? `, of the ${percent(now.known)} of tokens whose sources were measured.` : ".",
  );
  Object.assign(box.dataset, { order2: now.order2, clusters: now.clusters });
}
