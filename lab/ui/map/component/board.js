// What the four components of the map share in one page. Each is a module of its own, so they meet
// on an object of the window: a component puts what it was given, the map listens.
// No text of a document ever comes here: numbers, names of sources, words of clusters.

const board = (globalThis.mixlabMap ??= {
  held: {},
  listeners: new Set(),
  put(name, value) {
    this.held[name] = value;
    for (const listener of [...this.listeners]) listener(name);
  },
});

const bytesOf = (data) => (data instanceof Uint8Array ? data : new Uint8Array(data ?? 0));

// Header of a payload (little endian): u32 number of points, u32 stamp of the map, u32 version.
const HEADER = 12;
function headerOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return [view.getUint32(0, true), view.getUint32(4, true), view.getUint32(8, true)];
}
const bodyOf = (bytes) => bytes.slice(HEADER).buffer; // a copy, so that it is aligned
