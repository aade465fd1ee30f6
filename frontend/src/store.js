/** @import {State} from './state.js' */

/**
 * @callback Listener
 * @param {State} state The state now.
 * @param {State} previous The state at this listener's last call; at its first, the state when it subscribed.
 * @returns {void}
 */

/**
 * @typedef {object} Store
 * @property {() => State} get The state now, with every patch in it.
 * @property {(patch: Partial<State>) => void} set Merges a patch; listeners hear of it in the next frame.
 * @property {(listener: Listener, signal: AbortSignal) => void} subscribe Until the signal aborts.
 */

/**
 * A store that merges patches at once and tells its listeners once a frame, so stale states are dropped.
 *
 * @param {State} initial
 * @param {(notify: () => void) => unknown} [schedule] Runs `notify` once, later; a test passes its own.
 * @returns {Store}
 */
export function createStore(initial, schedule = (notify) => requestAnimationFrame(notify)) {
  let state = initial;
  let scheduled = false;
  /** @type {Map<Listener, State>} */
  const seen = new Map();

  function notify() {
    scheduled = false;
    /** @type {unknown[]} */
    const errors = [];
    for (const [listener, previous] of [...seen]) {
      if (previous === state || !seen.has(listener)) continue;
      const current = state;
      seen.set(listener, current);
      try {
        listener(current, previous);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  return {
    get: () => state,
    set(patch) {
      const keys = /** @type {(keyof State)[]} */ (Object.keys(patch));
      if (keys.every((key) => Object.is(state[key], patch[key]))) return;
      state = {...state, ...patch};
      if (scheduled) return;
      scheduled = true;
      schedule(notify);
    },
    subscribe(listener, signal) {
      if (signal.aborted) return;
      seen.set(listener, state);
      signal.addEventListener('abort', () => seen.delete(listener), {once: true});
    },
  };
}
