// Where two traces first part: what ntm_core/analysis/divergence.py finds, in the browser.

/** @import {Numbers} from '../memory.js' */
/** @import {TraceData} from '../trace_data.js' */

/** Numbers that lie no further apart than this do not differ. */
export const TOLERANCE = 1e-6;

/** What is compared of a step, in the order in which the step computes it: arrays of its record, and what it finds. */
export const COMPARED = Object.freeze([
  'inputs', 'memory', 'weighting_before', 'key', 'key_strength', 'interpolation_gate', 'shift_weighting', 'sharpening', 'content_weighting',
  'gated_weighting', 'shifted_weighting', 'weighting', 'erase_vector', 'add_vector', 'read_vector', 'outputs',
]);

/** What a step finds, and the array that the first step finds. @type {Record<string, string>} */
const BEFORE = {memory: 'initial_memory', weighting_before: 'initial_weighting'};

/** What a memory is made of, and the choices that say how. */
const WRITTEN = ['weighting', 'erase_vector', 'add_vector'];
const WRITING = /** @type {const} */ (['write_order', 'step_order', 'head_order', 'head_roles', 'schedule']);

const HEAD_AXES = ['head', 'read_head', 'write_head'];

/**
 * Where two traces first differ: `head` is the one that differs most there, null where no head is concerned;
 * `difference` is the largest |Δ| of that stage and head, null where a number stands against NaN or infinity.
 * @typedef {{step: number, stage: string, head: number|null, headName: string|null, difference: number|null}} Divergence
 */

/**
 * The first difference over the steps that have arrived of both; its step is that of A. Stages of other shapes are skipped,
 * and named. What a step finds follows from what the steps before it wrote: so the weightings before it are compared at the
 * first step alone, and the memory there and wherever an intervention of either trace changes it, but at every step where two
 * machines make different memories of what they write; neither where one of the traces, from another program, does not know it.
 *
 * @param {TraceData} a
 * @param {TraceData} b
 * @param {{rows?: readonly number[]|null, offset?: number, tolerance?: number}} [options] `rows[i]` is the location of B that stands for
 *   location i of A; where they run the other way round, the entries of B's shift weightings do too. `offset`: how many steps later
 *   B is at the same moment.
 * @returns {{steps: number, tolerance: number, skipped: string[], first: Divergence|null}}
 */
export function divergence(a, b, {rows = null, offset = 0, tolerance = TOLERANCE} = {}) {
  const [start, end] = [Math.max(0, -offset), Math.min(a.received, b.received - offset)];
  const steps = Math.max(0, end - start);
  const skipped = COMPARED.filter((stage) => String(shapeOf(a, stage)) !== String(shapeOf(b, stage)));
  const stages = COMPARED.filter((stage) => !skipped.includes(stage));
  const otherwise = writesOtherwise(a, b);
  for (let step = start; step < end; step++) {
    for (const stage of stages) {
      if (stage in BEFORE && step > start && !(stage === 'memory' && (otherwise || editsMemory(a, step) || editsMemory(b, step + offset)))) continue;
      const found = differenceAt(a, b, stage, {step, offset}, rows, tolerance);
      if (found) return {steps, tolerance, skipped, first: {step, stage, ...found}};
    }
  }
  return {steps, tolerance, skipped, first: null};
}

/**
 * @param {readonly number[]} rows
 * @returns {boolean} Whether they run the other way round the circle.
 */
export function isMirrored(rows) {
  const size = rows.length;
  return size > 2 && rows.every((row, i) => i === 0 || (row - rows[i - 1] + size) % size === size - 1);
}

/**
 * @param {TraceData} data
 * @param {string} stage
 */
function axesOf(data, stage) {
  const {axes} = data.field(BEFORE[stage] ?? stage);
  return axes[0] === 'step' ? axes.slice(1) : axes;
}

/**
 * @param {TraceData} data
 * @param {string} stage
 */
function shapeOf(data, stage) {
  return axesOf(data, stage).map((axis) => data.header.axes[axis]);
}

/**
 * @param {TraceData} a
 * @param {TraceData} b
 * @param {string} stage
 * @param {{step: number, offset: number}} moment
 * @param {readonly number[]|null} rows
 * @param {number} tolerance
 */
function differenceAt(a, b, stage, {step, offset}, rows, tolerance) {
  const axes = axesOf(a, stage);
  const byHead = HEAD_AXES.includes(axes[0]);
  const heads = byHead ? a.header.axes[axes[0]] : 1;
  const [first, second] = [numbersOf(a, stage, step), numbersOf(b, stage, step + offset)];
  if (stage in BEFORE && [first, second].some((values) => values.every(Number.isNaN))) return null;
  const order = orderOf(axes, first.length / heads, rows);
  const apart = Array.from({length: heads}, (_, head) => largest(first, second, head, order));
  const most = apart.indexOf(Math.max(...apart));
  if (!(apart[most] > tolerance)) return null;
  const head = byHead ? most + (axes[0] === 'write_head' ? a.header.axes.read_head : 0) : null;
  const difference = Number.isFinite(apart[most]) ? apart[most] : null;
  return {head, headName: head === null ? null : a.header.heads[head].name, difference};
}

/**
 * @param {TraceData} a
 * @param {TraceData} b
 * @returns {boolean} Whether alike weightings, erase and add vectors may leave unlike memories.
 */
function writesOtherwise(a, b) {
  return WRITTEN.some((stage) => String(shapeOf(a, stage)) !== String(shapeOf(b, stage)))
    || WRITING.some((choice) => String(a.header.config[choice]) !== String(b.header.config[choice]));
}

/**
 * @param {TraceData} data
 * @param {number} step
 * @returns {boolean} Whether an intervention changes the memory that the step finds.
 */
function editsMemory(data, step) {
  return (data.header.interventions ?? []).some(({quantity, steps}) => (
    quantity === 'memory' && (!steps || (steps[0] <= step && step < steps[1]))));
}

/**
 * @param {TraceData} data
 * @param {string} stage
 * @param {number} step
 * @returns {Numbers}
 */
function numbersOf(data, stage, step) {
  if (stage === 'memory') return data.memoryFound(step);
  if (stage !== 'weighting_before') return data.at(stage, step);
  return step > 0 ? data.at('weighting', step - 1) : data.initial('initial_weighting');
}

/**
 * Which number of B stands for each number of A, within one head.
 *
 * @param {string[]} axes
 * @param {number} size
 * @param {readonly number[]|null} rows
 * @returns {readonly number[]}
 */
function orderOf(axes, size, rows) {
  const last = axes.at(-1);
  if (rows && last === 'location') return rows;
  if (rows && axes[0] === 'location') {
    const words = size / rows.length;
    return rows.flatMap((row) => Array.from({length: words}, (_, j) => row * words + j));
  }
  const straight = Array.from({length: size}, (_, i) => i);
  return rows && last === 'shift' && isMirrored(rows) ? straight.reverse() : straight;
}

/**
 * The largest |A − B| of one head; infinite where only one is NaN.
 *
 * @param {Numbers} first
 * @param {Numbers} second
 * @param {number} head
 * @param {readonly number[]} order
 */
function largest(first, second, head, order) {
  const start = head * order.length;
  let most = 0;
  for (let i = 0; i < order.length; i++) {
    const [x, y] = [first[start + i], second[start + order[i]]];
    if (Object.is(x, y)) continue;
    const apart = x === y ? 0 : Math.abs(x - y);
    most = Math.max(most, Number.isNaN(apart) ? Infinity : apart);
  }
  return most;
}
