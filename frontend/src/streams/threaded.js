// Trace streams from a thread of their own: `thread.js`.

/** @import {Frame} from '../wire.js' */
/** @import {PlainFailure} from './failures.js' */
/** @import {Frames} from './fetched.js' */
import {unreachable} from '../request.js';
import {errorFrom, plainFailure} from './failures.js';

/** @typedef {{id: number, path?: string, init?: RequestInit}} Asked Without a path: nobody waits for it any more. */
/** @typedef {{id: number, frames?: Frame[], done?: boolean, failed?: PlainFailure}} Told */

/**
 * A thread that has told more bytes than this is ended when nobody waits for it, and another takes its place: with it goes
 * what it has read and not cleared away, which would be as much again, for a thread that rests clears nothing away.
 */
const MOST_BYTES = 8 << 20;

/**
 * @param {() => Worker} begin One that runs `thread.js`.
 * @returns {Frames} Streams, already decoded.
 */
export function threaded(begin) {
  /** @type {Map<number, (told: Told) => void>} */
  const listeners = new Map();
  let last = 0;
  let bytes = 0;
  /** @type {PlainFailure|null} Once it has failed, it answers nobody. */
  let broken = null;
  /** @type {Worker|null} Null once it could not be loaded, until somebody asks again. */
  let worker = started();

  function started() {
    const one = begin();
    one.addEventListener('message', (/** @type {MessageEvent<Told>} */ {data}) => {
      bytes += (data.frames ?? []).reduce((sum, {payload}) => sum + payload.length, 0);
      listeners.get(data.id)?.(data);
    });
    one.addEventListener('error', ({message}) => {
      const failed = message === undefined ? plainFailure(unreachable()) : {other: `The thread that reads traces has failed: ${message}. Reload the page.`};
      if (message !== undefined) broken = failed;
      else if (worker === one) worker = null;
      for (const [id, listen] of listeners) listen({id, failed});
    });
    return one;
  }

  function renew() {
    if (listeners.size > 0 || bytes <= MOST_BYTES || broken) return;
    worker?.terminate();
    bytes = 0;
    worker = started();
  }

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
    worker ??= started();
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
      worker?.postMessage({id});
      renew();
    }
  };
}
