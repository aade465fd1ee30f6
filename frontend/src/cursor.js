// Moves of the one cursor, as patches for the store.

/** @import {State} from './state.js' */

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
 * @returns {number} The last row that the cursor can stand on; −1 without a trace.
 */
export function lastStep({trace}) {
  return trace.data ? trace.received - 1 : -1;
}

/**
 * @param {State} state
 * @param {number} step Any number; rounded and held within the steps that have arrived.
 * @returns {Partial<State>}
 */
export function moveTo(state, step) {
  const last = lastStep(state);
  return last < 0 || Number.isNaN(step) ? {} : {step: clamp(Math.round(step), 0, last)};
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
  const atEnd = !state.loop && state.step >= data.header.steps - 1;
  return {playing: true, step: atEnd ? 0 : state.step};
}
