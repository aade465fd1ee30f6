// Trace streams from a thread of their own: `thread.js`.

/** @import {Frame} from '../wire.js' */
/** @import {PlainFailure} from './failures.js' */
/** @import {Frames} from './fetched.js' */
import {errorFrom} from './failures.js';

/** @typedef {{id: number, path?: string, init?: RequestInit}} Asked Without a path: nobody waits for it any more. */
/** @typedef {{id: number, frames?: Frame[], done?: boolean, failed?: PlainFailure}} Told */

/**
 * @param {Worker} worker That runs `thread.js`.
 * @returns {Frames} Streams, already decoded.
 */
export function threaded(worker) {
  /** @type {Map<number, (told: Told) => void>} */
  const listeners = new Map();
  let last = 0;
  /** @type {PlainFailure|null} Once it has failed, it answers nobody. */
  let broken = null;
  worker.addEventListener('message', (/** @type {MessageEvent<Told>} */ {data}) => listeners.get(data.id)?.(data));
  worker.addEventListener('error', (event) => {
    broken = {other: `The thread that reads traces has failed: ${event.message ?? 'it could not be loaded'}. Reload the page.`};
    for (const [id, listen] of listeners) listen({id, failed: broken});
  });

  return async function* frames(path, {signal, ...init}) {
    signal.throwIfAborted();
    if (broken) throw errorFrom(broken);
    const id = ++last;
    /** @type {Told[]} */
    const arrived = [];
    let wake = () => {};
    const listen = (/** @type {Told} */ told) => {
      arrived.push(told);
      wake();
    };
    const stop = () => listen({id});
    listeners.set(id, listen);
    signal.addEventListener('abort', stop, {once: true});
    worker.postMessage({id, path, init});
    try {
      for (;;) {
        if (arrived.length === 0) await new Promise((resolve) => { wake = () => resolve(undefined); });
        signal.throwIfAborted();
        // All that came while the page was busy at once, so that it draws the newest and not one after the other.
        const told = arrived.splice(0);
        const batch = told.flatMap(({frames}) => frames ?? []);
        if (batch.length > 0) yield batch;
        const {done, failed} = told[told.length - 1];
        if (failed) throw errorFrom(failed);
        if (done) return;
      }
    } finally {
      listeners.delete(id);
      signal.removeEventListener('abort', stop);
      worker.postMessage({id});
    }
  };
}
