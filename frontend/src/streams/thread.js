// A thread of its own, in which trace streams are fetched and decoded while the page draws. `threaded.js` is its other end.

/** @import {Asked, Told} from './threaded.js' */
import {decoded} from './decoded.js';
import {fetched} from './fetched.js';
import {plainFailure} from './failures.js';

/** @type {Map<number, AbortController>} */
const running = new Map();

addEventListener('message', (/** @type {MessageEvent<Asked>} */ {data: {id, path, init}}) => {
  if (path === undefined) running.get(id)?.abort();
  else void run(id, path, init);
});

/**
 * @param {number} id
 * @param {string} path
 * @param {RequestInit} [init]
 */
async function run(id, path, init) {
  const abort = new AbortController();
  running.set(id, abort);
  try {
    for await (const frames of decoded(fetched(fetch, path, {...init, signal: abort.signal}))) tell({id, frames});
    tell({id, done: true});
  } catch (error) {
    if (!abort.signal.aborted) tell({id, failed: plainFailure(error)});
  } finally {
    running.delete(id);
  }
}

/** @param {Told} told */
function tell(told) {
  postMessage(told, {transfer: (told.frames ?? []).map(({payload}) => payload.buffer)});
}
