// What the page says of changes to what a machine computes.

/** @import {Intervention, Mode, State, Violation} from './state.js' */
import {isRecording} from './api.js';
import {branchOf} from './branches/tree.js';
import {UNCHANGED} from './interventions.js';
import {signed, tick, typeset} from './views/format.js';

/**
 * @param {Pick<State, 'modes'>} state
 * @param {string} name
 * @returns {Mode|undefined}
 */
export function modeOf({modes}, name) {
  return modes.find((mode) => mode.name === name);
}

/**
 * @param {State} state
 * @returns {{mode: string, edits: number}} What is changed in the run on screen; of a recording, what it says of itself.
 */
export function shownChanges(state) {
  const {request, trace: {data}} = state;
  if (request && !isRecording(request.checkpoint)) return {mode: request.mode, edits: request.interventions.length};
  const {mode = UNCHANGED.mode, interventions = []} = data?.header ?? {};
  return {mode, edits: Math.max(0, interventions.length - (modeOf(state, mode)?.interventions.length ?? 0))};
}

/**
 * @param {State} state
 * @returns {string} What is changed, in a few words; empty if nothing is.
 */
export function changeWords(state) {
  const {mode, edits} = shownChanges(state);
  const branch = branchOf(state.tree, state.tree.shown);
  const title = mode === UNCHANGED.mode ? '' : (modeOf(state, mode)?.title ?? mode).toLowerCase();
  const count = edits === 0 ? '' : edits === 1 ? '1 edit' : `${edits} edits`;
  const words = [title, count].filter(Boolean).join(' + ');
  return branch && words ? `${branch.name}, ${words}` : words;
}

/** @type {Record<string, string>} */
const WORDS = {key_strength: 'strength', interpolation_gate: 'gate', shift_weighting: 'shift', memory: 'memory found', inputs: 'input'};

/**
 * @param {string} quantity
 * @returns {string} What the page calls it.
 */
export function quantityWords(quantity) {
  return WORDS[quantity] ?? quantity.replaceAll('_', ' ');
}

/**
 * @param {Violation} violation
 * @returns {string} With the step as the screen counts.
 */
export function violationWords({step, head, quantity, value, rule}) {
  const place = [`t = ${step + 1}`, head].filter(Boolean).join(', ');
  const number = value === null ? 'not a number' : typeset(String(Number(value.toPrecision(6))));
  return `${place}: ${quantityWords(quantity)} is ${number}, ${rule.replace(/^it /, '')}`;
}

/** What the server says at the end, where a button of this page lets a constraint be left. */
const ALLOWED = /; leave_constraints allows it$/;

/**
 * @param {string} message The server's.
 * @returns {boolean} Whether it refuses only because a constraint would be left.
 */
export function isConstraint(message) {
  return ALLOWED.test(message);
}

/**
 * @param {string} message The server's, which counts steps and interventions from 0, those of the mode first, and names the
 *   setting behind a button of this page.
 * @param {number} [ofMode] How many interventions the mode has.
 * @returns {string} With steps and edits as the screen counts.
 */
export function refusalWords(message, ofMode = 0) {
  return message
    .replace(ALLOWED, '')
    .replace(/^step (\d+)\b/, (_, step) => `t = ${Number(step) + 1}`)
    .replace(/^intervention (\d+)\b/, (_, index) => `edit ${Number(index) + 1 - ofMode}`)
    .replace(/: steps is \[(\d+), (\d+)\], but the run has (\d+) steps.*/, (_, from, until, steps) => (
      ` is at ${stepsWords([Number(from), Number(until)])}, but this episode ends at t = ${steps}`))
    .replace(/: steps (\d+) … (\d+) are taken from source '(.*)', which has (\d+) steps$/, (_, first, last, source, steps) => (
      ` takes ${stepsWords([Number(first), Number(last) + 1])} from '${source}', which ends at t = ${steps}`));
}

/**
 * @param {Pick<State, 'modes'>} state
 * @param {{mode: string}|null} request
 * @param {string} message What the server answered to it.
 * @returns {string} In the words of the page.
 */
export function refusalOf(state, request, message) {
  return refusalWords(message, request ? modeOf(state, request.mode)?.interventions.length : 0);
}

/** @type {Partial<Record<Intervention['operation'], string>>} */
const SIGNS = {set: '=', scale: '×', add: '+'};

/**
 * @param {Intervention} edit
 * @returns {string} What it changes, where the screen shows the place.
 */
export function editWords(edit) {
  const {quantity, operation, heads, steps, value, source, stage} = edit;
  const what = [quantityWords(quantity), ...entryWords(edit)].join(' ');
  const made = SIGNS[operation] ? `${SIGNS[operation]} ${valueWords(value)}` : [operation.replace('_', '-'), source, stage && quantityWords(stage)].filter(Boolean).join(' ');
  return `${[stepsWords(steps), heads?.join(', ')].filter(Boolean).join(', ')}: ${what} ${made}`;
}

/**
 * @param {Intervention} edit
 * @returns {string[]} Which entry, where it is not all: of the memory by name, of a vector as a formula has it.
 */
function entryWords({quantity, location, word, shift, channel}) {
  const told = (/** @type {number|null|undefined} */ at, /** @type {(at: number) => string} */ say) => (typeof at === 'number' ? [say(at)] : []);
  return [
    ...told(location, (at) => `location ${at}`),
    ...told(word, (at) => (quantity === 'memory' ? `element ${at}` : `(${at})`)),
    ...told(shift, (at) => `(${signed(tick(at))})`),
    ...told(channel, (at) => `channel ${at}`),
  ];
}

/** @param {Intervention['steps']} steps */
function stepsWords(steps) {
  if (!steps) return 'all t';
  return steps[1] - steps[0] === 1 ? `t = ${steps[1]}` : `t = ${steps[0] + 1} … ${steps[1]}`;
}

/** @param {Intervention['value']} value */
function valueWords(value) {
  return Array.isArray(value) ? `[${value.map((one) => tick(Number(one.toPrecision(3)))).join(', ')}]` : tick(value ?? NaN);
}
