// Tells the server which point the pointer rests on, by its number: trigger "under", {of, point}.
// A component of its own, so that a rest of the pointer reruns one small fragment and not the map.

const senders = new WeakMap();

export default function ({ parentElement, setTriggerValue }) {
  let own = senders.get(parentElement);
  if (!own) {
    own = { listen: (name) => { if (name === "under") own.send(board.held.under); } };
    board.listeners.add(own.listen);
    senders.set(parentElement, own);
  }
  own.send = (value) => setTriggerValue("under", value);
  return () => { board.listeners.delete(own.listen); senders.delete(parentElement); };
}
