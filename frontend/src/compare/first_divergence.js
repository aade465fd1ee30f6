// Where a column first parts from the main trace: found once for two traces and a matching, and said in words.

/** @import {TraceData} from '../trace_data.js' */
/** @import {Divergence} from '../views/divergence.js' */
import {COMPARED, divergence} from '../views/divergence.js';
import {brief} from '../views/format.js';

/** @typedef {{steps: number, first: Divergence|null, skipped: readonly string[]}} Parting `skipped`: of other sizes in the two. */

/** @typedef {{a: TraceData, rows: readonly number[]|null, offset: number, found: Parting}} Known */

/** As many as are on screen of one column: as it is, and matched. */
const KEPT = 2;

/** @type {WeakMap<TraceData, Known[]>} The last ones of each B. */
const known = new WeakMap();

/** What the stages are called. */
const STAGES = /** @type {Record<string, string>} */ ({
  inputs: 'input', memory: 'memory found', weighting_before: 'weighting before', key: 'key', key_strength: 'key strength β', interpolation_gate: 'gate g', shift_weighting: 'shift weighting s',
  sharpening: 'sharpening γ', content_weighting: 'content weighting', gated_weighting: 'gated weighting',
  shifted_weighting: 'shifted weighting', weighting: 'weighting w', erase_vector: 'erase vector', add_vector: 'add vector',
  read_vector: 'read vector', outputs: 'output',
});

/**
 * @param {TraceData} a
 * @param {TraceData} b
 * @param {readonly number[]|null} rows
 * @param {number} [offset] How many steps later B is at the same moment.
 * @returns {Parting}
 */
export function firstDivergence(a, b, rows, offset = 0) {
  const kept = known.get(b) ?? [];
  const last = kept.find((one) => one.a === a && one.rows === rows && one.offset === offset);
  if (last) return last.found;
  const found = divergence(a, b, {rows, offset});
  known.set(b, [{a, rows, offset, found}, ...kept].slice(0, KEPT));
  return found;
}

/**
 * @param {Parting} parting
 * @param {number} [offset] That the parting was found with.
 * @returns {string}
 */
export function divergenceText({steps, first, skipped}, offset = 0) {
  const without = skipped.length === 0 ? '' : ` Of other sizes, so not compared: ${skipped.map((stage) => STAGES[stage] ?? stage).join(', ')}.`;
  if (steps === 0) return 'No step of this column stands beside one of A.';
  if (!first && skipped.length === COMPARED.length) return 'Nothing in this column has the sizes that it has in A: not compared.';
  const beside = offset === 0 ? '' : ' that stand beside each other';
  const what = skipped.length === 0 ? '' : ' in what both have,';
  if (!first) return `Equal to A${what} in all ${steps} steps${beside}, to within 10⁻⁶.${without}`;
  const where = [STAGES[first.stage] ?? first.stage, first.headName && `of ${first.headName}`].filter(Boolean).join(' ');
  const apart = first.difference === null ? 'not a finite number in one of both' : `|Δ| up to ${brief(first.difference)}`;
  const there = offset === 0 ? '' : ` (t = ${first.step + 1 + offset} here)`;
  return `Parts from A at t = ${first.step + 1}${there}: ${where}, ${apart}.${without}`;
}
