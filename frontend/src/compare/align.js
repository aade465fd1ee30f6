// Which step of a column stands for which step of the main trace, and the state as a column sees it.

/** @import {State} from '../state.js' */
/** @import {TraceData} from '../trace_data.js' */
/** @import {Theme} from '../views/theme.js' */
/** @import {Model} from '../views/model.js' */
/** @import {Column, CompareView} from './columns.js' */
import {modelOf, roundedUp} from '../views/model.js';
import {CONTENT_JUMP} from '../views/operations.js';
import {Series} from '../views/series.js';
import {LETTERS} from './columns.js';
import {operationTrack} from './operation_track.js';

/** Signed vectors that have plots with a scale of their own. */
const VECTORS = /** @type {const} */ (['add_vector', 'read_vector']);

/**
 * @typedef {object} Shown One column as it is on screen.
 * @property {string} letter
 * @property {Column|null} column Null for the main trace.
 * @property {State} state The page's state with this column's trace, and steps as this column counts them.
 * @property {number} offset Steps by which this column's moment is later than the main trace's.
 * @property {string} lack Why it stands by step although another alignment is chosen; empty if it does not.
 */

/**
 * @param {TraceData} data
 * @returns {number} The first step whose output counts; 0 where none does.
 */
export function outputStart(data) {
  return Math.max(0, data.episode('mask').findIndex((asked) => asked > 0));
}

/**
 * @param {TraceData} data
 * @param {CompareView} view
 * @param {string} head Name of the selected head.
 * @returns {{step: number, event: string}} The first step of the event by which columns are aligned, −1 where the trace has
 *   none (yet), and the event in words.
 */
function eventIn(data, {align, phase}, head) {
  if (align === 'delimiter') return {step: data.episode('mask').findIndex((asked) => asked > 0), event: 'output that counts'};
  if (align === 'phase') {
    const index = data.header.phases.indexOf(phase);
    return {step: index < 0 ? -1 : data.episode('phase').findIndex((one) => one === index), event: `phase '${phase}'`};
  }
  const index = data.header.heads.findIndex(({name}) => name === head);
  const jump = index < 0 ? -1 : operationTrack(data, index).findIndex(({operation}) => operation === CONTENT_JUMP);
  return {step: jump, event: index < 0 ? head : `content jump of ${head}`};
}

/**
 * @param {State} state
 * @param {number} at Index of the column.
 * @returns {{offset: number, lack: string}}
 */
function placeOf(state, at) {
  const {compare, trace: {data: main}, head} = state;
  const {data} = state.columns[at].trace;
  if (compare.align === 'step' || !main || !data || data.received === 0) return {offset: 0, lack: ''};
  if (compare.align === 'hand') return {offset: state.columns[at].offset, lack: ''};
  const name = main.header.heads[head]?.name ?? '';
  const [here, there] = [eventIn(main, compare, name), eventIn(data, compare, name)];
  if (here.step >= 0 && there.step >= 0) return {offset: there.step - here.step, lack: ''};
  return {offset: 0, lack: `no ${here.step < 0 ? here.event : there.event}${here.step < 0 ? ' in A' : ''}: by step`};
}

/**
 * @param {State} state
 * @returns {Shown[]} The main trace, then every other column.
 */
export function shownColumns(state) {
  const others = state.columns.map((column, at) => {
    const {offset, lack} = placeOf(state, at);
    const named = headNamedAs(state.trace.data, column.trace.data, state.head);
    const head = named >= 0 ? named : Math.min(state.head, Math.max(0, (column.trace.data?.header.heads.length ?? 0) - 1));
    return {letter: LETTERS[at + 1], column, offset, lack, state: {...state, ...later(state, offset), head, trace: column.trace}};
  });
  return [{letter: LETTERS[0], column: null, offset: 0, lack: '', state}, ...others];
}

/**
 * @param {TraceData|null} from
 * @param {TraceData|null} to
 * @param {number} head Of the first trace.
 * @returns {number} The head of the second that has its name; −1 if there is none.
 */
export function headNamedAs(from, to, head) {
  return to?.header.heads.findIndex(({name}) => name === from?.header.heads[head]?.name) ?? -1;
}

/**
 * @param {State} state
 * @param {number} offset
 * @returns {Pick<State, 'step'|'sought'|'pinned'|'zoom'>} Cursor, pin and zoom, later by the offset.
 */
function later({step, sought, pinned, zoom}, offset) {
  if (offset === 0) return {step, sought, pinned, zoom};
  const moved = (/** @type {number} */ from) => Math.max(0, from + offset);
  const time = zoom.time;
  return {
    step: moved(step),
    sought: sought === null ? null : moved(sought),
    pinned: pinned === null ? null : moved(pinned),
    zoom: {...zoom, time: time && [time[0] + offset, time[1] + offset]},
  };
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
 * @param {State} state With any trace.
 * @param {Theme} theme
 * @returns {Model|null} With scales of its own.
 */
export function modelFor(state, theme) {
  const {data} = state.trace;
  return modelOf(state, data && seriesOf(data), theme);
}

/**
 * @param {Shown[]} shown
 * @param {State} state
 * @param {Theme} theme
 * @returns {(Model|null)[]} One a column; null before its first step has arrived.
 */
export function modelsOf(shown, {scale, compare}, theme) {
  const models = shown.map((one) => modelFor(one.state, theme));
  if (compare.scales === 'own' || scale.memory === 'fixed') return models;
  const highest = (/** @type {(model: Model) => number} */ of) => Math.max(...models.map((model) => (model ? of(model) : 0)));
  const limits = Object.fromEntries(VECTORS.map((name) => [name, highest(({series}) => roundedUp(series.peak(name)))]));
  const memoryLimit = highest((model) => model.memoryLimit);
  return models.map((model) => model && {...model, memoryLimit, limits});
}

/**
 * @param {Shown[]} shown
 * @returns {boolean} Whether the colour scales of all memories are known.
 */
export function scalesKnown(shown) {
  return shown.every(({state: {trace: {data}}}) => !data || data.received === 0 || seriesOf(data).memoryPeakKnown);
}
