// Changes to what a machine computes: what they are, and reading them.

/** @import {Intervention, TraceRequest} from './state.js' */

/** @typedef {Pick<TraceRequest, 'mode'|'interventions'|'leave_constraints'>} Changes */

/** @type {Changes} The machine as it is. */
export const UNCHANGED = Object.freeze({mode: 'full', interventions: [], leave_constraints: false});

/** As many as the server takes. */
const MAX_EDITS = 256;
const QUANTITIES = new Set([
  'inputs', 'memory', 'key', 'key_strength', 'interpolation_gate', 'shift_weighting', 'sharpening', 'content_weighting',
  'gated_weighting', 'shifted_weighting', 'weighting', 'erase_vector', 'add_vector', 'read_vector',
]);
const OPERATIONS = new Set(['set', 'scale', 'add', 'take', 'harden', 'one_hot', 'stage']);

/** @type {Record<string, (value: unknown) => boolean>} What each field of an intervention may hold; the server knows more. */
const FIELDS = {
  quantity: (value) => QUANTITIES.has(/** @type {string} */ (value)),
  operation: (value) => OPERATIONS.has(/** @type {string} */ (value)),
  heads: (value) => Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string'),
  steps: (value) => Array.isArray(value) && value.length === 2 && value.every(isIndex) && value[0] < value[1],
  location: isIndex,
  word: isIndex,
  shift: Number.isInteger,
  channel: isIndex,
  value: (value) => Number.isFinite(value) || (Array.isArray(value) && value.every(Number.isFinite)),
  source: (value) => typeof value === 'string',
  offset: Number.isInteger,
  stage: (value) => QUANTITIES.has(/** @type {string} */ (value)),
};

/**
 * @param {string} name
 * @param {unknown} content
 */
function isLeftOut(name, content) {
  return content === null && name !== 'quantity' && name !== 'operation';
}

/** @param {unknown} value */
function isIndex(value) {
  return Number.isInteger(value) && Number(value) >= 0;
}

/**
 * @param {unknown} value
 * @returns {Intervention[]|null} Null if it is no list of interventions.
 */
export function interventionsFrom(value) {
  return Array.isArray(value) && value.length <= MAX_EDITS && value.every(isIntervention) ? value : null;
}

/** @param {unknown} value */
function isIntervention(value) {
  if (typeof value !== 'object' || value === null || !('quantity' in value) || !('operation' in value)) return false;
  return Object.entries(value).every(([name, content]) => Object.hasOwn(FIELDS, name) && (FIELDS[name](content) || isLeftOut(name, content)));
}

/**
 * @param {Changes} changes
 * @returns {boolean} Whether anything is computed otherwise than the machine would.
 */
export function isChanged({mode, interventions}) {
  return mode !== UNCHANGED.mode || interventions.length > 0;
}

/**
 * @param {Changes} changes
 * @returns {Partial<Changes>} Without what is as usual.
 */
export function madeChanges({mode, interventions, leave_constraints}) {
  return {
    ...(mode === UNCHANGED.mode ? {} : {mode}),
    ...(interventions.length === 0 ? {} : {interventions}),
    ...(leave_constraints ? {leave_constraints} : {}),
  };
}

/**
 * @param {Intervention[]} edits
 * @param {Intervention} edit
 * @returns {Intervention[]} With the edit, in place of an earlier one of the same place.
 */
export function withEdit(edits, edit) {
  return [...edits.filter((other) => placeOf(other) !== placeOf(edit)), edit];
}

/** @param {Intervention} edit */
function placeOf({quantity, operation, heads, steps, location, word, shift, channel}) {
  return JSON.stringify([quantity, operation, heads, steps, location, word, shift, channel].map((part) => part ?? null));
}

/**
 * @param {Intervention} edit
 * @param {string} asked A quantity.
 * @param {string[]} names All names of one head.
 * @param {number} step
 * @returns {boolean} Whether the edit changes the quantity of this head in this step.
 */
export function touches({quantity, heads, steps}, asked, names, step) {
  return quantity === asked && (!heads || heads.some((name) => names.includes(name))) && (!steps || (step >= steps[0] && step < steps[1]));
}

/** Digits to which the other entries of a kernel are scaled: fewer make a link longer for no gain. */
const KERNEL_DIGITS = 6;

/**
 * @param {ArrayLike<number>} kernel
 * @param {number} index
 * @param {number} value
 * @returns {number[]} The kernel with this entry, the others scaled so that the sum is 1; equal, if they were all 0.
 */
export function kernelWith(kernel, index, value) {
  const rest = Array.from(kernel).reduce((sum, entry, at) => (at === index ? sum : sum + entry), 0);
  const share = (/** @type {number} */ entry) => (rest === 0 ? 1 / (kernel.length - 1) : entry / rest);
  return Array.from(kernel, (entry, at) => (at === index ? value : Number(((1 - value) * share(entry)).toPrecision(KERNEL_DIGITS))));
}
