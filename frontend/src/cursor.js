// Moves of the one cursor, as patches for the store.

/** @import {State} from './state.js' */
/** @import {TraceData} from './trace_data.js' */

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

/**
 * @param {State} state
 * @returns {number} The last row that the cursor can be moved to; −1 before the first has arrived.
 */
export function lastStep({trace: {data, received}}) {
  return data && received > 0 ? data.header.steps - 1 : -1;
}

/**
 * Where the cursor stands that is to be on a step: the nearest that has arrived, until that one has.
 *
 * @param {TraceData} data
 * @param {number} wanted Any number; rounded and held within the trace.
 * @returns {Pick<State, 'step'|'sought'>}
 */
export function standing(data, wanted) {
  const sought = clamp(Math.round(wanted), 0, data.header.steps - 1);
  const step = data.nearest(sought);
  return {step, sought: step === sought ? null : sought};
}

/**
 * @param {State} state
 * @param {number} step Any number; rounded and held within the trace.
 * @returns {Partial<State>}
 */
export function moveTo(state, step) {
  const {data} = state.trace;
  return !data || lastStep(state) < 0 || Number.isNaN(step) ? {} : standing(data, step);
}

/**
 * @param {State} state
 * @returns {Partial<State>} The next head, round and round.
 */
export function nextHead(state) {
  const heads = state.trace.data?.header.heads.length ?? 0;
  return heads > 0 ? {head: (state.head + 1) % heads} : {};
}

/**
 * @param {State} state
 * @returns {Partial<State>} Pins the cursor's step, or lets go of it if it is pinned already.
 */
export function togglePin(state) {
  if (lastStep(state) < 0) return {};
  return state.pinned === state.step ? {pinned: null, diff: false} : {pinned: state.step};
}

/**
 * @param {State} state
 * @returns {Partial<State>} Difference to the pinned step; with nothing pinned, the step before the cursor is.
 */
export function toggleDiff(state) {
  if (lastStep(state) < 0) return {};
  if (state.diff) return {diff: false};
  return {diff: true, pinned: state.pinned ?? Math.max(0, state.step - 1)};
}

/**
 * Sets one end of the loop region to the cursor; the other end stays, unless they would cross.
 *
 * @param {State} state
 * @param {'start'|'end'} end
 * @returns {Partial<State>}
 */
export function setLoopEnd(state, end) {
  const last = lastStep(state);
  if (last < 0) return {};
  const {step} = state;
  const [start, stop] = state.loop ?? [0, last];
  if (end === 'start') return {loop: [step, Math.max(step, stop)]};
  return {loop: [Math.min(start, step), step]};
}

/**
 * Play or pause; playing from the last step starts over.
 *
 * @param {State} state
 * @returns {Partial<State>}
 */
export function togglePlay(state) {
  if (state.playing) return {playing: false};
  const {data} = state.trace;
  if (!data) return {};
  const atEnd = !state.loop && (state.sought ?? state.step) >= data.header.steps - 1;
  return {playing: true, step: atEnd ? 0 : state.step, ...(atEnd && state.sought !== null ? {sought: null} : {})};
}
