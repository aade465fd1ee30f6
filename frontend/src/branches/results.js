// How the runs of branches did: those that have been on screen, and the others one at a time, when the page is at rest.

/** @import {Api} from '../api.js' */
/** @import {State, TraceRequest, TraceState} from '../state.js' */
/** @import {Store} from '../store.js' */
import {ApiError} from '../request.js';
import {resultOf} from '../compare/column_head.js';
import {mainChoice, requestOf} from '../compare/columns.js';
import {patiently} from '../compare/column_loader.js';
import {failureFrom} from '../failure.js';
import {Latest} from '../latest.js';
import {sleep} from '../sleep.js';
import {EMPTY_TRACE} from '../state.js';

/** Runs whose result is remembered. */
const MOST_RESULTS = 200;

/** Milliseconds without a change after which a run that has not been on screen is asked for. */
const REST = 1000;

/** What a person changes who wants something else: a run that nobody sees then makes way. */
const BUSY_KEYS = /** @type {const} */ (['request', 'tree', 'columns', 'trace', 'step', 'playing', 'checkpoints', 'tasks', 'patching']);

/** @typedef {ReturnType<typeof resultOf>} Result */

export class BranchResults {
  /** @type {Map<string, Result>} By request, as JSON. */ #known = new Map();
  #asking = new Latest();

  /** @param {{store: Store, api: Pick<Api, 'streamTrace'>, changed: () => void, signal: AbortSignal, rest?: number}} parts */
  constructor({store, api, changed, signal, rest = REST}) {
    this.store = store;
    this.api = api;
    this.changed = changed;
    this.rest = rest;
    store.subscribe((state, previous) => {
      if (BUSY_KEYS.some((key) => state[key] !== previous[key])) this.#hear(state);
    }, signal);
    signal.addEventListener('abort', () => this.#asking.end(), {once: true});
    this.#hear(store.get());
  }

  /**
   * @param {State} state
   * @param {number} id Of a branch.
   * @returns {Result|undefined} Undefined while it is not known.
   */
  of(state, id) {
    const request = requestOf(state, {branch: id});
    return request ? this.#known.get(keyOf(request)) : undefined;
  }

  /** @param {State} state */
  #hear(state) {
    this.#asking.end();
    for (const {choice, trace} of judged(state)) {
      const request = choice && requestOf(state, choice);
      if (request) this.#note(request, trace);
    }
    if (isAtRest(state) && this.#unknown(state)) void this.#findOut(this.#asking.begin());
  }

  /**
   * Runs all that are not known, unless something else is asked meanwhile; a server that is away is asked after the next
   * change.
   *
   * @param {AbortSignal} signal
   */
  async #findOut(signal) {
    try {
      await sleep(this.rest, signal);
      for (let request = this.#unknown(this.store.get()); request; request = this.#unknown(this.store.get())) await this.#run(request, signal);
    } catch (error) {
      if (!signal.aborted && !(error instanceof ApiError)) throw error;
    }
  }

  /**
   * @param {TraceRequest} request
   * @param {AbortSignal} signal
   */
  async #run(request, signal) {
    try {
      const {data, end} = await patiently(() => this.api.streamTrace(request, () => {}, signal), signal);
      this.#note(request, {...EMPTY_TRACE, status: 'ready', data, end});
    } catch (error) {
      if (signal.aborted || !isRefusal(error)) throw error;
      this.#note(request, {...EMPTY_TRACE, status: 'failed', error: failureFrom(error)});
    }
  }

  /**
   * @param {State} state
   * @returns {TraceRequest|null} That of the first branch whose result is not known.
   */
  #unknown(state) {
    const requests = state.tree.branches.map(({id}) => requestOf(state, {branch: id}));
    return requests.find((request) => request && !this.#known.has(keyOf(request))) ?? null;
  }

  /**
   * @param {TraceRequest} request
   * @param {TraceState} trace
   */
  #note(request, trace) {
    if (!isOver(trace)) return;
    const [key, result] = [keyOf(request), resultOf(trace, this.store.get(), request)];
    if (this.#known.get(key)?.text === result.text) return;
    this.#known.set(key, result);
    for (const old of [...this.#known.keys()].slice(0, -MOST_RESULTS)) this.#known.delete(old);
    this.changed();
  }
}

/** @param {TraceRequest} request */
function keyOf(request) {
  return JSON.stringify(request);
}

/** @param {unknown} error */
function isRefusal(error) {
  return error instanceof ApiError && !error.offline && error.status < 500;
}

/** @param {State} state */
function onScreen(state) {
  return [{choice: mainChoice(state), trace: state.trace}, ...state.columns];
}

/**
 * @param {State} state
 * @returns {ReturnType<typeof onScreen>} The traces that are those of their requests: columns follow once the main trace is
 *   complete, and until then show what was asked before.
 */
function judged(state) {
  return onScreen(state).slice(0, isOver(state.trace) ? undefined : 1);
}

/** @param {TraceState} trace */
function isOver({status}) {
  return status === 'ready' || status === 'failed';
}

/**
 * @param {State} state
 * @returns {boolean} Whether nothing is on its way and nothing moves.
 */
function isAtRest(state) {
  return !state.playing && !state.offline && state.trace.status === 'ready' && onScreen(state).every(({trace}) => isOver(trace));
}
