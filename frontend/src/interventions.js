// Changes to what a machine computes: what they are, and reading them.

/** @import {Intervention, Source, TraceHeader, TraceRequest} from './state.js' */

/** @typedef {Pick<TraceRequest, 'mode'|'interventions'|'leave_constraints'|'sources'>} Changes */

/** @type {Changes} The machine as it is. */
export const UNCHANGED = Object.freeze({mode: 'full', interventions: [], leave_constraints: false});

/** As many as the server takes. */
const MAX_EDITS = 256;
const MAX_SOURCES = 4;
const MAX_SEED = 2 ** 32 - 1;
const ID = /^[\w.-]{1,100}$/;
const MODE = /^[a-z_]{1,40}$/;
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
  source: (value) => typeof value === 'string' && value.length > 0 && value.length <= 200,
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
 * @param {unknown} value
 * @returns {Record<string, Source>|null} Null if it is no set of runs, by name, from which interventions may take.
 */
export function sourcesFrom(value) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const read = Object.entries(value).map(([name, source]) => [name, sourceFrom(source)]);
  const good = read.length <= MAX_SOURCES && read.every(([name, source]) => name !== '' && String(name).length <= 200 && source !== null);
  return good ? Object.fromEntries(read) : null;
}

/**
 * @param {unknown} value
 * @returns {Source|null}
 */
function sourceFrom(value) {
  if (typeof value !== 'object' || value === null) return null;
  const {checkpoint, seed = null, mode = 'full', interventions = [], leave_constraints = false} = /** @type {Record<string, unknown>} */ (value);
  const edits = interventionsFrom(interventions);
  if (!isRunOf(checkpoint, mode) || !edits || edits.some(({operation}) => operation === 'take')) return null;
  if (seed !== null && !(isIndex(seed) && Number(seed) <= MAX_SEED)) return null;
  if (typeof leave_constraints !== 'boolean') return null;
  return {checkpoint: String(checkpoint), seed: /** @type {number|null} */ (seed), mode: String(mode), interventions: edits, leave_constraints};
}

/**
 * @param {unknown} checkpoint
 * @param {unknown} mode
 * @returns {boolean} Whether they can be names of a checkpoint and of an addressing mode.
 */
export function isRunOf(checkpoint, mode) {
  return typeof checkpoint === 'string' && ID.test(checkpoint) && typeof mode === 'string' && MODE.test(mode);
}

/**
 * @template {Changes} T
 * @param {T} changes
 * @returns {T} With only those sources from which something is taken, and without any where nothing is.
 */
export function withUsedSources({sources, ...changes}) {
  const taken = new Set(changes.interventions.map(({source}) => source));
  const used = Object.entries(sources ?? {}).filter(([name]) => taken.has(name));
  return /** @type {T} */ ({...changes, ...(used.length > 0 ? {sources: Object.fromEntries(used)} : {})});
}

/**
 * @param {TraceRequest} request
 * @returns {Record<string, unknown>} The request as the server takes it: without what is as usual, and with each source on
 *   the same episode, or on that of its own seed.
 */
export function askedOf({checkpoint, task, seed, initial_seed, inputs, sources, ...changes}) {
  const episode = {task, seed, initial_seed, inputs};
  const others = Object.entries(sources ?? {}).map(([name, {checkpoint: other, seed: own, ...made}]) => (
    [name, {checkpoint: other, ...episode, ...(own === null ? {} : {seed: own, inputs: null}), ...madeChanges(made)}]));
  return {checkpoint, ...episode, ...madeChanges(changes), ...(others.length > 0 ? {sources: Object.fromEntries(others)} : {})};
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
export function madeChanges({mode, interventions, leave_constraints, sources}) {
  return {
    ...(mode === UNCHANGED.mode ? {} : {mode}),
    ...(interventions.length === 0 ? {} : {interventions}),
    ...(leave_constraints ? {leave_constraints} : {}),
    ...(sources && Object.keys(sources).length > 0 ? {sources} : {}),
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

/**
 * @param {TraceHeader} header
 * @param {number} head
 * @returns {string[]} All names of a head, the first of a head that both reads and writes being that of reading.
 */
export function namesOf({heads}, head) {
  const one = heads[head].same_as ?? head;
  return heads.filter(({same_as}, index) => (same_as ?? index) === one).map(({name}) => name);
}

/**
 * @param {TraceHeader} header
 * @param {string} quantity
 * @param {number} head
 * @param {number} step
 * @returns {boolean} Whether an edit, or the addressing mode, changes it of this head at this step.
 */
export function isEdited(header, quantity, head, step) {
  const {interventions = []} = header;
  return interventions.length > 0 && interventions.some((edit) => touches(edit, quantity, namesOf(header, head), step));
}

/**
 * @param {Intervention[]} edits
 * @param {string} asked A quantity whose entries are the cells of a word.
 * @param {string[]} names All names of one head.
 * @param {number} step
 * @param {number} size Cells of a word.
 * @returns {number[]} Which of them the edits change, ascending.
 */
export function touchedWords(edits, asked, names, step, size) {
  const made = edits.filter((edit) => touches(edit, asked, names, step));
  if (made.length === 0) return [];
  return Array.from({length: size}, (_, at) => at).filter((at) => made.some(({word}) => (word ?? at) === at));
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
