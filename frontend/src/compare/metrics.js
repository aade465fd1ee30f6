// How every column does over many sequences: what is asked, what comes back, and its table.

/** @import {Failure, Intervention, State, TaskSettings} from '../state.js' */
/** @import {Column} from './columns.js' */
import {isRecording} from '../api.js';
import {refusalOf} from '../change_words.js';
import {failureFrom} from '../failure.js';
import {madeChanges, UNCHANGED} from '../interventions.js';
import {brief} from '../views/format.js';
import {requestOf} from './columns.js';

/**
 * @typedef {{median: number|null, mean: number|null, lowest: number|null, highest: number|null, sequences: number}} Spread
 * @typedef {{head: string, entropy_bits: Spread, speed: Spread, operations: Record<string, Spread>}} HeadMetrics
 * @typedef {{length: number, steps: number, sequences: number, asked_bits: number, wrong_bits: Spread, perfect: number,
 *   loss_bits: Spread, metric: Spread, wrong_bits_without_reads: Spread, saved_by_reads: Spread, memory_used: boolean|null,
 *   heads: HeadMetrics[]}} LengthMetrics
 * @typedef {{length: number, steps: number, needed: number}} LeftOut A length whose sequences are too short for an edit.
 * @typedef {{metric: string, unit: string, seed: number, lengths: LengthMetrics[], left_out: LeftOut[]}} Metrics
 * @typedef {{checkpoint: string, task: TaskSettings|null, lengths?: number[], sequences: number, mode?: string,
 *   interventions?: Intervention[], leave_constraints?: boolean}} MetricsRequest
 *
 * @typedef {{length: number, quantity: string, cells: (string|null)[]}} MetricsRow One quantity at one length; a cell a
 *   column, null where that column was not measured at this length.
 */

/**
 * @param {State} state
 * @param {Column|null} column Null for the main trace.
 * @param {{sequences: number, lengths: number[]|null}} options
 * @returns {MetricsRequest|null} Null for what cannot be measured: a recording runs no other sequences, and what takes from
 *   another run takes from one sequence alone.
 */
export function metricsRequest(state, column, {sequences, lengths}) {
  const asked = column ? requestOf(state, column.choice) : state.request;
  if (!asked || isRecording(asked.checkpoint) || asked.sources) return null;
  const {checkpoint, task} = asked;
  return {checkpoint, task, sequences, ...(lengths ? {lengths} : {}), ...madeChanges(asked)};
}

/**
 * @param {Pick<State, 'modes'>} state
 * @param {MetricsRequest} asked
 * @param {unknown} error
 * @returns {Failure} Why it could not be measured, in the words of the page.
 */
export function notMeasured(state, {mode = UNCHANGED.mode}, error) {
  const failure = failureFrom(error);
  return {...failure, message: refusalOf(state, {mode}, failure.message)};
}

/**
 * @param {string} text Whole numbers apart by commas or blanks.
 * @returns {{lengths: number[]|null, problem: string}} Null for the task's own lengths, where nothing is written; the problem
 *   says what of the text is no length, and is empty where all is well.
 */
export function lengthsFrom(text) {
  const written = text.split(/[\s,;]+/).filter(Boolean);
  const wrong = written.find((one) => !/^0*[1-9]\d{0,8}$/.test(one));
  if (wrong !== undefined) return {lengths: null, problem: `'${wrong}' is no length: write whole numbers from 1, such as 10, 20.`};
  return {lengths: written.length > 0 ? written.map(Number) : null, problem: ''};
}

/**
 * @param {Spread} spread
 * @returns {string} The median, and the range where there is one.
 */
export function spreadText({median, lowest, highest}) {
  if (median === null || lowest === null || highest === null) return '–';
  return lowest === highest ? plain(median) : `${plain(median)} (${plain(lowest)} … ${plain(highest)})`;
}

/** @param {number} value */
function plain(value) {
  return Number.isInteger(value) ? String(value) : brief(value);
}

/**
 * @param {(Metrics|null)[]} columns
 * @returns {MetricsRow[]} By length, the shortest first.
 */
export function metricsRows(columns) {
  const lengths = [...new Set(columns.flatMap((one) => [...one?.lengths ?? [], ...one?.left_out ?? []].map(({length}) => length)))].sort((a, b) => a - b);
  return lengths.flatMap((length) => {
    const found = columns.map((one) => one?.lengths.find((row) => row.length === length) ?? null);
    const row = (/** @type {string} */ quantity, /** @type {(one: LengthMetrics) => string|null} */ cell) => (
      {length, quantity, cells: found.map((one) => one && cell(one))});
    const heads = [...new Set(found.flatMap((one) => one?.heads.map(({head}) => head) ?? []))];
    const ofHead = (/** @type {LengthMetrics} */ one, /** @type {string} */ name, /** @type {'entropy_bits'|'speed'} */ key) => {
      const head = one.heads.find((other) => other.head === name);
      return head ? spreadText(head[key]) : null;
    };
    const missing = columns.map((one) => one?.left_out.find((other) => other.length === length) ?? null);
    const reasons = {length, quantity: 'left out', cells: missing.map((one) => one && `${one.steps} steps: an edit needs ${one.needed}`)};
    const told = missing.some(Boolean) ? [reasons] : [];
    if (!found.some(Boolean)) return told;
    return [
      ...told,
      row('wrong bits', ({wrong_bits, asked_bits}) => `${spreadText(wrong_bits)} of ${plain(asked_bits)}`),
      row('sequences without a wrong bit', ({perfect, sequences}) => `${perfect} of ${sequences}`),
      row('loss, bits', ({loss_bits}) => spreadText(loss_bits)),
      row('wrong bits without reads', ({wrong_bits_without_reads}) => spreadText(wrong_bits_without_reads)),
      row('memory is used', ({memory_used}) => (memory_used === null ? 'unknown' : memory_used ? 'yes' : 'no')),
      ...heads.flatMap((name) => [
        row(`entropy of ${name}, bits`, (one) => ofHead(one, name, 'entropy_bits')),
        row(`speed of ${name}, locations a step`, (one) => ofHead(one, name, 'speed')),
      ]),
    ];
  });
}
