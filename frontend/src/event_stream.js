// What the server tells of its own accord, for as long as somebody looks.

/**
 * Listens at an address, which tells everything anew whenever it is asked. A page that nobody sees lets go of its
 * connection: a browser has six to a server, and one that others hold for good keeps the next tab from loading.
 *
 * @param {string} path
 * @param {(data: any) => void} hear
 * @param {AbortSignal} signal
 */
export function whileSeen(path, hear, signal) {
  /** @type {EventSource|null} */
  let events = null;
  const close = () => {
    events?.close();
    events = null;
  };
  const look = () => {
    if (document.hidden) close();
    else if (!events) {
      events = new EventSource(path);
      events.addEventListener('message', ({data}) => hear(JSON.parse(data)));
    }
  };
  document.addEventListener('visibilitychange', look, {signal});
  signal.addEventListener('abort', close, {once: true});
  look();
}
