/** @import {TraceData} from '../trace_data.js' */
/** @import {State} from '../state.js' */
/** @import {Series} from './series.js' */
/** @import {Theme} from './theme.js' */

/** @typedef {'time'|'location'|'word'} LinkedAxis Axes that zoom together in all plots. */

/**
 * What the views show: the part of the state that they depend on, made safe for the trace at hand.
 * @typedef {object} Model
 * @property {TraceData} data
 * @property {Series} series
 * @property {number} received Steps that have arrived, at least 1, without those ahead.
 * @property {boolean} complete Whether all have, or no more will.
 * @property {number} step
 * @property {number} head
 * @property {number|null} pinned
 * @property {number|null} reference The pinned step, if differences to it are shown.
 * @property {number} memoryLimit Both ends of the memory's colour scale.
 * @property {Partial<Record<'add_vector'|'read_vector', number>>} [limits] Both ends of the vectors' colour scales, where they
 *   are not those of this trace alone.
 * @property {State['scale']} scale
 * @property {State['zoom']} zoom
 * @property {State['output_view']} outputView
 * @property {Theme} theme
 */

/** Of one frame. */
const PEAK_BUDGET = 4;

/**
 * @param {State} state
 * @param {Series|null} series Of the state's trace.
 * @param {Theme} theme
 * @param {number} [budget] Milliseconds that may go into finding the memory's colour scale.
 * @returns {Model|null} Null before the first step has arrived.
 */
export function modelOf(state, series, theme, budget = PEAK_BUDGET) {
  const {data} = state.trace;
  if (!data || !series || data.received === 0) return null;
  const pinned = state.pinned === null ? null : data.nearest(state.pinned);
  return {
    data,
    series,
    received: data.received,
    complete: state.trace.status !== 'streaming',
    step: data.nearest(state.step),
    head: Math.max(0, Math.min(state.head, data.header.heads.length - 1)),
    pinned,
    reference: state.diff ? pinned : null,
    memoryLimit: state.scale.memory === 'fixed' ? 1 : roundedUp(series.memoryPeak(budget)),
    scale: state.scale,
    zoom: state.zoom,
    outputView: state.output_view,
    theme,
  };
}

/**
 * @param {number} limit
 * @returns {number} The next number with two digits, or 1 for nothing, so that a scale has readable ends.
 */
export function roundedUp(limit) {
  if (!(limit > 0 && limit < Infinity)) return 1;
  const unit = 10 ** (Math.floor(Math.log10(limit)) - 1);
  return Number((Math.ceil(limit / unit - 1e-6) * unit).toPrecision(2));
}
