// What an activation patching map is asked with: a clean run, a corrupted one, and what is taken from the one into the
// other. Also as parameters in the URL's hash, of which nothing is trusted.

/** @import {State, TraceRequest} from '../state.js' */
import {isRecording} from '../api.js';
import {LETTERS, requestOf} from '../compare/columns.js';
import {askedOf} from '../interventions.js';

/**
 * @typedef {object} PatchView What a person chose; A is the clean run.
 * @property {'B'|'C'|'D'|'seed'} corrupted A column, or A's machine on another episode.
 * @property {number} seed Of that episode.
 * @property {string} quantity One, or `all` that heads have.
 * @property {[number, number]|null} steps From the first until before the second; null: all.
 *
 * @typedef {{clean: TraceRequest, corrupted: TraceRequest, quantity: string, steps: [number, number]|null}} PatchAsked
 *
 * @typedef {{quantity: string, head: number|null, head_name: string|null, loss: (number|null)[], restored: (number|null)[]}} PatchRow
 * @typedef {{loss_clean: number, loss_corrupted: number, steps: [number, number], rows: PatchRow[]}} PatchMap
 */

/** Quantities that can be taken, beside `all`. */
export const PATCHED = Object.freeze([
  'key', 'key_strength', 'interpolation_gate', 'shift_weighting', 'sharpening', 'content_weighting', 'gated_weighting', 'shifted_weighting',
  'weighting', 'erase_vector', 'add_vector', 'read_vector', 'memory', 'inputs',
]);

const MAX_SEED = 2 ** 32 - 1;

/**
 * @param {State} state
 * @param {PatchView} view
 * @returns {PatchAsked|string} What is asked, or why it cannot be.
 */
export function patchAsked(state, {corrupted, seed, quantity, steps}) {
  const {request: clean, columns} = state;
  if (!clean) return 'There is no run yet.';
  const column = columns[LETTERS.indexOf(corrupted) - 1];
  if (corrupted !== 'seed' && !column) return `There is no column ${corrupted}.`;
  if (corrupted === 'seed' && !clean.inputs && seed === clean.seed) return `Seed ${seed} is that of A: choose another.`;
  const other = column ? requestOf(state, column.choice) : {...clean, seed, inputs: null};
  if (!other) return `The model of column ${corrupted} is not there.`;
  if (isRecording(clean.checkpoint) || isRecording(other.checkpoint)) return 'A recording cannot be run again.';
  return {clean, corrupted: other, quantity, steps};
}

/**
 * @param {PatchAsked} asked
 * @returns {Record<string, unknown>} As the server takes it.
 */
export function patchBody({clean, corrupted, quantity, steps}) {
  return {
    clean: askedOf(clean), corrupted: askedOf(corrupted), ...(quantity === 'all' ? {} : {quantities: [quantity]}), ...(steps ? {steps} : {}),
  };
}

/**
 * @param {PatchView|null} view
 * @returns {Record<string, string>}
 */
export function patchParts(view) {
  if (!view) return {};
  const {corrupted, seed, quantity, steps} = view;
  return {patch: [corrupted === 'seed' ? `seed-${seed}` : corrupted, quantity, ...(steps ? [`${steps[0] + 1}-${steps[1]}`] : [])].join(',')};
}

/**
 * @param {string} text What `patchParts` makes.
 * @returns {PatchView|null} Null if it is none.
 */
export function patchFrom(text) {
  const [, letter, digits, quantity, from, to] = /^(?:([BCD])|seed-(\d{1,10})),([a-z_]{1,40})(?:,(\d{1,7})-(\d{1,7}))?$/.exec(text) ?? [];
  if (quantity !== 'all' && !PATCHED.includes(quantity)) return null;
  const seed = Number(digits ?? 0);
  if (seed > MAX_SEED || (from !== undefined && !(Number(from) >= 1 && Number(from) <= Number(to)))) return null;
  const steps = from === undefined ? null : /** @type {[number, number]} */ ([Number(from) - 1, Number(to)]);
  return {corrupted: /** @type {PatchView['corrupted']} */ (letter ?? 'seed'), seed, quantity, steps};
}
