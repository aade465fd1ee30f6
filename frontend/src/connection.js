/** @import {Api} from './api.js' */
/** @import {Store} from './store.js' */
import {ApiError} from './request.js';
import {sleep} from './sleep.js';

/** ms between looks at a server that is gone. */
const LOOK_EVERY = 4000;

/**
 * @param {unknown} error
 * @returns {boolean} Whether the server could not be reached.
 */
function isOffline(error) {
  return error instanceof ApiError && error.offline;
}

/**
 * Knows whether the server answers; while it does not, looks for it now and then.
 *
 * @param {object} parts
 * @param {Store} parts.store
 * @param {Api} parts.api
 * @param {() => void} parts.onReturn The server is back after it was gone.
 * @param {AbortSignal} parts.signal
 */
export function createConnection({store, api, onReturn, signal}) {
  /** Asks the server for a sign of life. */
  async function look() {
    try {
      await api.version(signal);
    } catch (error) {
      if (isOffline(error)) return;
    }
    store.set({offline: false});
    onReturn();
  }

  async function keepLooking() {
    while (store.get().offline && !signal.aborted) {
      await sleep(LOOK_EVERY, signal).catch(() => {});
      if (store.get().offline && !document.hidden) await look();
    }
  }

  return {
    look,
    /**
     * Takes note of a failed request.
     *
     * @param {unknown} error
     */
    failed(error) {
      if (!isOffline(error) || store.get().offline) return;
      store.set({offline: true});
      void keepLooking();
    },
  };
}

/** @typedef {ReturnType<typeof createConnection>} Connection */
