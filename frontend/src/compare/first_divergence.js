// Where a column first parts from the main trace: found once for two traces and a matching, and said in words.

/** @import {TraceData} from '../trace_data.js' */
/** @import {Divergence} from '../views/divergence.js' */
import {divergence} from '../views/divergence.js';
import {brief} from '../views/format.js';

/** @typedef {{steps: number, first: Divergence|null, skipped: readonly string[]}} Parting `skipped`: of other sizes in the two. */

/** @type {WeakMap<TraceData, {a: TraceData, rows: readonly number[]|null, found: Parting}>} The last one of each B. */
const known = new WeakMap();

/** What the stages are called. */
const STAGES = /** @type {Record<string, string>} */ ({
  inputs: 'input', key: 'key', key_strength: 'key strength β', interpolation_gate: 'gate g', shift_weighting: 'shift weighting s',
  sharpening: 'sharpening γ', content_weighting: 'content weighting', gated_weighting: 'gated weighting',
  shifted_weighting: 'shifted weighting', weighting: 'weighting w', erase_vector: 'erase vector', add_vector: 'add vector',
  read_vector: 'read vector', outputs: 'output',
});

/**
 * @param {TraceData} a
 * @param {TraceData} b
 * @param {readonly number[]|null} rows
 * @returns {Parting}
 */
export function firstDivergence(a, b, rows) {
  const last = known.get(b);
  if (last && last.a === a && last.rows === rows) return last.found;
  const found = divergence(a, b, {rows});
  known.set(b, {a, rows, found});
  return found;
}

/**
 * @param {Parting} parting
 * @returns {string}
 */
export function divergenceText({steps, first, skipped}) {
  const without = skipped.length === 0 ? '' : ` Of other sizes, so not compared: ${skipped.map((stage) => STAGES[stage] ?? stage).join(', ')}.`;
  if (!first) return `Equal to A in all ${steps} steps, to within 10⁻⁶.${without}`;
  const where = [STAGES[first.stage] ?? first.stage, first.headName && `of ${first.headName}`].filter(Boolean).join(' ');
  const apart = first.difference === null ? 'not a number in one of both' : `|Δ| up to ${brief(first.difference)}`;
  return `Parts from A at t = ${first.step + 1}: ${where}, ${apart}.${without}`;
}
