/** @import {Api} from './api.js' */
/** @import {Tree} from './branches/tree.js' */
/** @import {State, TraceRequest} from './state.js' */
/** @import {Store} from './store.js' */
/** @import {TraceData} from './trace_data.js' */
/** @import {TraceReader} from './wire.js' */
import {ApiError} from './request.js';
import {clamp, standing} from './cursor.js';
import {failureFrom} from './failure.js';
import {Latest} from './latest.js';
import {seekAhead} from './seeking.js';
import {sleep} from './sleep.js';
import {EMPTY_TRACE} from './state.js';

/** Seconds to wait where a busy server does not say. */
const BUSY_SECONDS = 2;

/** @typedef {Pick<State, 'step'|'head'|'pinned'|'diff'|'loop'>} View The part of the state that a trace limits. */

/**
 * @param {State} state
 * @returns {View}
 */
export function viewOf({step, sought, head, pinned, diff, loop}) {
  return {step: sought ?? step, head, pinned, diff, loop};
}

/**
 * The part of a wanted view that a trace can show now: the cursor never stands on a step that has not arrived.
 *
 * @param {View} wanted
 * @param {TraceData} data
 * @returns {View & Pick<State, 'sought'>}
 */
export function viewWithin({step, head, pinned, diff, loop}, data) {
  const {steps, heads} = data.header;
  const shownPin = pinned !== null && data.holds(pinned) ? pinned : null;
  return {
    ...standing(data, step),
    head: clamp(head, 0, heads.length - 1),
    pinned: shownPin,
    diff: diff && shownPin !== null,
    loop: loop && loop[0] < steps ? [loop[0], Math.min(loop[1], steps - 1)] : null,
  };
}

/**
 * Streams traces into the store; only the latest one asked for wins.
 *
 * @param {object} parts
 * @param {Store} parts.store
 * @param {Api} parts.api
 * @param {(error: unknown) => void} parts.onFailure
 * @returns {(request: TraceRequest, wanted: View, options?: {quiet?: boolean, keep?: boolean, before?: Tree}) => Promise<void>}
 *   Quiet: the trace on screen stays as it is until the other one is complete. Keep: it stays so too, and if the other one
 *   fails it comes back with its request, and with the branches as they were before.
 */
export function createTraceLoader({store, api, onFailure}) {
  const current = new Latest();
  /** @type {Pick<State, 'trace'|'tree'> & {request: TraceRequest}|null} What to come back to. */
  let settled = null;

  /** @param {Partial<State['trace']>} patch */
  const setTrace = (patch) => store.set({trace: {...store.get().trace, ...patch}});

  /**
   * The trace, however often a busy server asks to wait.
   *
   * @param {TraceRequest} request
   * @param {(reader: TraceReader) => void} show
   * @param {AbortSignal} signal
   */
  async function patiently(request, show, signal) {
    for (;;) {
      try {
        return await api.streamTrace(request, show, signal);
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 503 || signal.aborted) throw error;
        const ms = 1000 * (error.retryAfter ?? BUSY_SECONDS);
        setTrace({status: 'pending', retry_at: Date.now() + ms});
        await sleep(ms, signal);
        setTrace({retry_at: null});
      }
    }
  }

  /**
   * @param {TraceRequest} request
   * @param {unknown} error
   * @param {boolean} keep
   */
  function fail(request, error, keep) {
    const failure = failureFrom(error);
    const {tree, step, sought} = store.get();
    if (keep && settled) store.set({...settled, trace: {...settled.trace, refused: {request, tree, error: failure}}});
    // The next trace, of the same request asked again or of another, stands where this one was to.
    else store.set({trace: {...EMPTY_TRACE, status: 'failed', error: failure}, playing: false, step: sought ?? step, sought: null});
    onFailure(error);
  }

  return async (request, wanted, {quiet = false, keep = false, before} = {}) => {
    if (settled && before && store.get().trace.status === 'ready') settled = {...settled, tree: before};
    const signal = current.begin();
    if (!quiet) setTrace({status: 'pending', error: null, end: null, refused: null, retry_at: null});
    const stays = quiet || keep;
    if (!stays) settled = null;
    const over = new AbortController();
    const seek = seekAhead({store, api, request, signal: over.signal});
    try {
      const show = showing(store, wanted);
      const reader = await patiently(request, stays ? () => {} : (sofar) => {
        show(sofar);
        seek(sofar);
      }, signal);
      (stays ? showing(store, viewOf(store.get())) : show)(reader);
      setTrace({status: 'ready', end: reader.end});
      settled = {request, trace: store.get().trace, tree: store.get().tree};
    } catch (error) {
      if (!signal.aborted) fail(request, error, keep);
    } finally {
      over.abort();
    }
  };
}

/**
 * Puts what has arrived on screen. Cursor and pin follow the stream to where they were wanted, unless a person moves
 * them first.
 *
 * @param {Store} store
 * @param {View} wanted
 * @returns {(reader: TraceReader) => void}
 */
function showing(store, wanted) {
  /** @type {View|null} */
  let shown = null;
  return ({data}) => {
    if (!data || data.received === 0) return;
    const {received} = data;
    const state = store.get();
    const view = viewWithin(wanted, data);
    const patch = shown === null ? view : {
      ...(state.sought === null ? {} : standing(data, state.sought)),
      ...(state.pinned === shown.pinned ? {pinned: view.pinned, diff: view.diff} : {}),
    };
    shown = view;
    store.set({...patch, trace: {...EMPTY_TRACE, status: 'streaming', data, received}});
  };
}
