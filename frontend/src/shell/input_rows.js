// Typed input as rows of the episode, and what can be done to them. Nothing here changes the rows it is given.

/** @import {State} from '../state.js' */
/** @import {TraceData} from '../trace_data.js' */

/** @typedef {number[][]} Rows (step, channel) */

/**
 * @param {TraceData} data
 * @returns {Rows} The input rows of a trace.
 */
export function rowsOf(data) {
  const inputs = data.matrix('inputs');
  return Array.from({length: data.header.steps}, (_, step) => inputs.map((channel) => channel[step]));
}

/**
 * @param {Pick<State, 'request'|'trace'>} state
 * @returns {Rows|null} The input rows of the run on screen, typed or of an episode; null while there is none.
 */
export function rowsOnScreen({request, trace: {data}}) {
  return data && (request?.inputs ?? rowsOf(data));
}

/**
 * @param {Pick<State, 'request'|'trace'>} state
 * @param {Pick<State, 'trace'>} previous
 * @param {Rows} shown In the editor.
 * @returns {Rows|null} Those to go back to, where the server has just refused a run on others; else null.
 */
export function rowsAfterRefusal(state, previous, shown) {
  const {refused} = state.trace;
  if (!refused || refused === previous.trace.refused) return null;
  const rows = rowsOnScreen(state);
  return JSON.stringify(rows) === JSON.stringify(shown) ? null : rows;
}

/**
 * @param {Rows} rows
 * @param {string[]} channels
 * @returns {boolean[]} Whether each channel takes any number, and not just 0 and 1.
 */
export function numericChannels(rows, channels) {
  return channels.map((name, channel) => {
    const marks = /^bit\b|delimiter/.test(name);
    return !marks || rows.some((row) => row[channel] !== 0 && row[channel] !== 1);
  });
}

/**
 * @param {Rows} rows
 * @param {number} step
 * @param {number} channel
 * @param {number} value
 * @returns {Rows} With one number replaced.
 */
export function withCell(rows, step, channel, value) {
  return rows.map((row, at) => (at === step ? row.with(channel, value) : row));
}

/**
 * @param {Rows} rows
 * @param {number} after Step after which a blank one is put in.
 * @returns {Rows}
 */
export function withStep(rows, after) {
  return rows.toSpliced(after + 1, 0, rows[0].map(() => 0));
}

/**
 * @param {Rows} rows
 * @param {number} step
 * @returns {Rows} Without one step; the last one left stays.
 */
export function withoutStep(rows, step) {
  return rows.length > 1 ? rows.toSpliced(step, 1) : rows;
}

/**
 * @param {Rows} rows
 * @returns {Rows} As many, all 0.
 */
export function blank(rows) {
  return rows.map((row) => row.map(() => 0));
}

/**
 * @param {string} message Of the server, which counts rows from 0.
 * @returns {string} With the step that the screen shows beside each row.
 */
export function withSteps(message) {
  return message.replace(/\brow (\d+)/g, (row, index) => `${row} (t = ${Number(index) + 1})`);
}
