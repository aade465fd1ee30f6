// Which step of a column stands for which step of the main trace, and the state as a column sees it.

/** @import {State} from '../state.js' */
/** @import {TraceData} from '../trace_data.js' */
/** @import {Theme} from '../views/theme.js' */
/** @import {Model} from '../views/model.js' */
/** @import {Column} from './columns.js' */
import {clamp} from '../cursor.js';
import {modelOf} from '../views/model.js';
import {Series} from '../views/series.js';
import {LETTERS} from './columns.js';

/**
 * @typedef {object} Shown One column as it is on screen.
 * @property {string} letter
 * @property {Column|null} column Null for the main trace.
 * @property {State} state The page's state with this column's trace, and steps as this column counts them.
 * @property {number} offset Steps by which this column's moment is later than the main trace's.
 */

/**
 * @param {TraceData} data
 * @returns {number} The first step whose output counts; 0 where none does.
 */
export function outputStart(data) {
  return Math.max(0, data.episode('mask').findIndex((asked) => asked > 0));
}

/**
 * @param {State} state
 * @returns {Shown[]} The main trace, then every other column.
 */
export function shownColumns(state) {
  const main = state.trace.data;
  const others = state.columns.map((column, at) => {
    const {data} = column.trace;
    const offset = state.compare.align === 'delimiter' && main && data && data.received > 0 ? outputStart(data) - outputStart(main) : 0;
    return {letter: LETTERS[at + 1], column, offset, state: {...state, ...later(state, offset), trace: column.trace}};
  });
  return [{letter: LETTERS[0], column: null, offset: 0, state}, ...others];
}

/**
 * @param {State} state
 * @param {number} offset
 * @returns {Pick<State, 'step'|'pinned'|'zoom'>} Cursor, pin and zoom, later by the offset.
 */
function later({step, pinned, zoom}, offset) {
  if (offset === 0) return {step, pinned, zoom};
  const moved = (/** @type {number} */ from) => Math.max(0, from + offset);
  const time = zoom.time;
  return {
    step: moved(step),
    pinned: pinned === null ? null : moved(pinned),
    zoom: {...zoom, time: time && [time[0] + offset, time[1] + offset]},
  };
}

/**
 * @param {State} state
 * @param {number} step As a column counts.
 * @param {number} offset Of that column.
 * @returns {number} The main trace's step at the same moment, or the nearest that there is.
 */
export function mainStep({trace}, step, offset) {
  return clamp(step - offset, 0, Math.max(0, trace.received - 1));
}

/** @type {WeakMap<TraceData, Series>} */
const series = new WeakMap();

/** @param {TraceData} data */
function seriesOf(data) {
  const known = series.get(data) ?? new Series(data);
  series.set(data, known);
  return known;
}

/**
 * @param {Shown[]} shown
 * @param {State} state
 * @param {Theme} theme
 * @returns {(Model|null)[]} One a column; null before its first step has arrived.
 */
export function modelsOf(shown, {scale, compare}, theme) {
  const models = shown.map((one) => {
    const {data} = one.state.trace;
    return modelOf(one.state, data && seriesOf(data), theme);
  });
  if (compare.scales === 'own' || scale.memory === 'fixed') return models;
  const limit = Math.max(...models.map((model) => model?.memoryLimit ?? 0));
  return models.map((model) => model && {...model, memoryLimit: limit});
}

/**
 * @param {Shown[]} shown
 * @returns {boolean} Whether the colour scales of all memories are known.
 */
export function scalesKnown(shown) {
  return shown.every(({state: {trace: {data}}}) => !data || data.received === 0 || seriesOf(data).memoryPeakKnown);
}
