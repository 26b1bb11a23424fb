// One byte a point: its place in the palette, 0 for grey context. Sent when the colouring changes.

let last = "";

export default function ({ data }) {
  const bytes = bytesOf(data);
  const [count, stamp, version] = headerOf(bytes);
  const key = `${count} ${stamp} ${version}`;
  if (key !== last || !board.held.codes) {
    last = key;
    board.put("codes", { stamp, codes: new Uint8Array(bodyOf(bytes)) });
  }
  return () => { last = ""; delete board.held.codes; };
}
