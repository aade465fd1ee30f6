// Keeps the traces of the columns what they are asked to be: after the main trace, and only anew where one is another.

/** @import {Api} from '../api.js' */
/** @import {State, TraceRequest, TraceState} from '../state.js' */
/** @import {Store} from '../store.js' */
/** @import {TraceReader} from '../wire.js' */
/** @import {Column} from './columns.js' */
import {ApiError} from '../request.js';
import {failureFrom} from '../failure.js';
import {sleep} from '../sleep.js';
import {EMPTY_TRACE} from '../state.js';
import {chosenRun, patched, requestOf} from './columns.js';

/** Seconds to wait where a busy server does not say. */
const BUSY_SECONDS = 2;

/** @typedef {{asked: string, abort: AbortController}} Loading */

/**
 * @param {object} parts
 * @param {Store} parts.store
 * @param {Api} parts.api
 * @param {(error: unknown) => void} parts.onFailure
 * @param {AbortSignal} parts.signal
 */
export function keepColumns({store, api, onFailure, signal}) {
  /** @type {Map<number, Loading>} What each column is, or is becoming. */
  const loadings = new Map();

  /** @param {State} state */
  function keep(state) {
    const ids = new Set(state.columns.map(({id}) => id));
    for (const [id, {abort}] of loadings) {
      if (ids.has(id)) continue;
      abort.abort();
      loadings.delete(id);
    }
    if (state.trace.status !== 'ready' && state.trace.status !== 'failed') return;
    for (const column of state.columns) keepOne(state, column);
  }

  /**
   * @param {State} state
   * @param {Column} column
   */
  function keepOne(state, {id, choice, attempt}) {
    const request = requestOf(state, choice);
    if (!request && !state.request) return;
    const asked = JSON.stringify([attempt, request]);
    if (loadings.get(id)?.asked === asked) return;
    loadings.get(id)?.abort.abort();
    const abort = new AbortController();
    loadings.set(id, {asked, abort});
    if (request) void load(id, request, abort.signal);
    else setTrace(id, {...EMPTY_TRACE, status: 'failed', error: unknownModel(chosenRun(state, choice)?.checkpoint ?? '')});
  }

  /**
   * @param {number} id
   * @param {TraceState} trace
   */
  function setTrace(id, trace) {
    store.set({columns: patched(store.get().columns, id, {trace})});
  }

  /**
   * @param {number} id
   * @param {TraceRequest} request
   * @param {AbortSignal} mine
   */
  async function load(id, request, mine) {
    const before = store.get().columns.find((column) => column.id === id)?.trace ?? EMPTY_TRACE;
    setTrace(id, {...before, status: 'pending', error: null, end: null});
    /** @param {TraceReader} reader */
    const show = ({data}) => {
      if (data && data.received > 0 && !mine.aborted) setTrace(id, {...EMPTY_TRACE, status: 'streaming', data, received: data.received});
    };
    try {
      const {data, end} = await patiently(() => api.streamTrace(request, show, mine), mine);
      if (!mine.aborted) setTrace(id, {...EMPTY_TRACE, status: 'ready', data, received: data?.received ?? 0, end});
    } catch (error) {
      if (mine.aborted || signal.aborted) return;
      setTrace(id, {...EMPTY_TRACE, status: 'failed', error: failureFrom(error)});
      onFailure(error);
    }
  }

  store.subscribe((state, previous) => {
    const keys = /** @type {const} */ (['columns', 'request', 'checkpoints', 'tasks', 'tree']);
    if (keys.some((key) => state[key] !== previous[key]) || state.trace.status !== previous.trace.status) keep(state);
  }, signal);
  signal.addEventListener('abort', () => loadings.forEach(({abort}) => abort.abort()), {once: true});
}

/**
 * What `ask` gives, however often a busy server asks to wait.
 *
 * @template T
 * @param {() => Promise<T>} ask
 * @param {AbortSignal} signal
 * @returns {Promise<T>}
 */
export async function patiently(ask, signal) {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 503 || signal.aborted) throw error;
      await sleep(1000 * (error.retryAfter ?? BUSY_SECONDS), signal);
    }
  }
}

/** @param {string} checkpoint */
function unknownModel(checkpoint) {
  return {code: 'unknown_checkpoint', message: `This server has no model '${checkpoint}'.`};
}
