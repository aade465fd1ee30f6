// The columns beside the main trace: what each is asked with, and what each shows. Column A is the main trace itself.

/** @import {Run} from '../branches/tree.js' */
/** @import {State, Summary, TraceRequest, TraceState} from '../state.js' */
import {runOf} from '../branches/tree.js';
import {checkpointOf} from '../runs.js';
import {EMPTY_TRACE} from '../state.js';
import {startingTask} from '../task_settings.js';

/**
 * @typedef {Run|{branch: number}} ColumnChoice What a person chooses for a column: a model with its changes, or a branch, by
 *   its id; task and seed are those of the main trace.
 *
 * @typedef {object} Column
 * @property {number} id Of this visit; no two columns ever have the same.
 * @property {ColumnChoice} choice
 * @property {number} offset Steps by which it is later than A, where columns are aligned by hand.
 * @property {number} attempt How often a person has asked for it again.
 * @property {TraceState} trace
 *
 * @typedef {object} CompareView How columns are laid beside each other.
 * @property {'step'|'delimiter'|'jump'|'phase'|'hand'} align Which steps stand for the same moment: equal ones, or those as
 *   far from the first step whose output counts, from the first content jump of the selected head, from the first step of a
 *   phase, or from steps that a person chose.
 * @property {string} phase Name of the phase, for `phase`.
 * @property {'shared'|'own'} scales Whether all memories, and all vectors of a kind, have one colour scale.
 * @property {'matched'|'raw'} rows Whether the rows of B are put into A's order before they are subtracted.
 * @property {'B'|'C'|'D'} delta The column from which A is subtracted.
 * @property {'closed'|'open'} stages Whether columns show the stages of the selected head.
 */

/** Letters of the columns; A is the main trace. */
export const LETTERS = Object.freeze(['A', 'B', 'C', 'D']);

/** Columns beside the main trace. */
export const MOST_COLUMNS = LETTERS.length - 1;

let lastId = 0;

/**
 * @param {ColumnChoice} choice
 * @returns {Column} Without a trace yet.
 */
export function newColumn(choice) {
  lastId += 1;
  return {id: lastId, choice, offset: 0, attempt: 0, trace: EMPTY_TRACE};
}

/**
 * @param {Column[]} columns
 * @param {ColumnChoice[]} choices
 * @param {number[]} [offsets] One a choice; 0 where there is none.
 * @returns {Column[]} One a choice; the traces of those that are already there stay.
 */
export function withChoices(columns, choices, offsets = []) {
  const left = [...columns];
  const found = choices.slice(0, MOST_COLUMNS).map((choice, index) => {
    const at = left.findIndex((column) => sameChoice(column.choice, choice));
    const column = at < 0 ? newColumn(choice) : left.splice(at, 1)[0];
    const offset = offsets[index] ?? 0;
    return column.offset === offset ? column : {...column, offset};
  });
  const unchanged = found.length === columns.length && found.every((column, at) => column === columns[at]);
  return unchanged ? columns : found;
}

/**
 * @param {ColumnChoice} a
 * @param {ColumnChoice} b
 */
function sameChoice(a, b) {
  return JSON.stringify('branch' in a ? a : orderedRun(a)) === JSON.stringify('branch' in b ? b : orderedRun(b));
}

/**
 * @param {Run} run
 * @returns {Run} What belongs to a run, in one order.
 */
function orderedRun({checkpoint, mode, interventions, leave_constraints, sources}) {
  return {checkpoint, mode, interventions, leave_constraints, ...(sources ? {sources} : {})};
}

/**
 * @param {Pick<State, 'tree'>} state
 * @param {ColumnChoice} choice
 * @returns {Run|null} Null for a branch that is not there.
 */
export function chosenRun({tree}, choice) {
  return 'branch' in choice ? runOf(tree, choice.branch) : choice;
}

/**
 * @param {State} state
 * @returns {ColumnChoice|null} What the main trace is, as a choice for a column.
 */
export function mainChoice({request, tree}) {
  if (tree.shown !== null) return {branch: tree.shown};
  return request && orderedRun(request);
}

/**
 * What the next column starts with: the model on screen in the first mode that no column shows yet.
 *
 * @param {State} state
 * @param {readonly string[]} modes Names, `full` first.
 * @returns {ColumnChoice|null} Null without a model, or where there is no room.
 */
export function nextChoice({request, columns}, modes) {
  if (!request || columns.length >= MOST_COLUMNS) return null;
  const changed = request.interventions.length > 0;
  const others = columns.flatMap(({choice}) => ('branch' in choice || choice.checkpoint !== request.checkpoint ? [] : [choice.mode]));
  const shown = [...(changed ? [] : [request.mode]), ...others];
  const mode = modes.find((name) => !shown.includes(name)) ?? 'full';
  return {checkpoint: request.checkpoint, mode, interventions: [], leave_constraints: false};
}

/**
 * @param {State} state
 * @param {ColumnChoice} choice
 * @returns {TraceRequest|null} On the episode of the main trace where the model has its channels, else on the model's
 *   own task with the same seed; null while the main trace or the list of models is not known, and for a model that is
 *   not in the list.
 */
export function requestOf({request, checkpoints, tasks, tree}, choice) {
  const run = chosenRun({tree}, choice);
  if (!request || !run) return null;
  const model = checkpointOf(checkpoints, run.checkpoint);
  if (!model) return null;
  const {task, seed, initial_seed, inputs} = request;
  const asked = {...orderedRun(run), task, seed, initial_seed, inputs};
  const main = checkpointOf(checkpoints, request.checkpoint);
  if (model.source === 'recorded') return {...asked, task: null, inputs: null, mode: 'full', interventions: [], leave_constraints: false};
  if (main && request.task && sameChannels(main, model)) return asked;
  return {...asked, task: startingTask(tasks, model), inputs: null};
}

/**
 * @param {Summary} a
 * @param {Summary} b
 */
function sameChannels({config: a}, {config: b}) {
  return a.input_size === b.input_size && a.output_size === b.output_size;
}

/**
 * @param {Column[]} columns
 * @param {number} id
 * @param {Partial<Omit<Column, 'id'>>} patch
 * @returns {Column[]} The columns themselves where there is none with this id.
 */
export function patched(columns, id, patch) {
  if (!columns.some((column) => column.id === id)) return columns;
  return columns.map((column) => (column.id === id ? {...column, ...patch} : column));
}

/**
 * @param {State} state
 * @returns {Partial<State>} With one more column.
 */
export function addColumn(state) {
  const choice = nextChoice(state, state.modes.map(({name}) => name));
  return choice ? {columns: [...state.columns, newColumn(choice)]} : {};
}

/**
 * @param {State} state
 * @param {number} id
 * @returns {Partial<State>} Without this column.
 */
export function removeColumn({columns}, id) {
  return {columns: columns.filter((column) => column.id !== id)};
}

/**
 * @param {State} state
 * @param {number} id
 * @param {{checkpoint: string}|{mode: string}|{branch: number}} patch
 * @returns {Partial<State>} With another choice; another model has other heads, so edits of its heads do not stay.
 */
export function changeColumn({columns, tree}, id, patch) {
  const column = columns.find((one) => one.id === id);
  if (!column) return {};
  if ('branch' in patch) return {columns: patched(columns, id, {choice: patch})};
  const before = chosenRun({tree}, column.choice);
  const model = 'checkpoint' in patch ? {checkpoint: patch.checkpoint, interventions: [], leave_constraints: false} : before;
  if (!model) return {};
  const choice = {mode: before?.mode ?? 'full', ...model, ...patch};
  return {columns: patched(columns, id, {choice})};
}

/**
 * @param {State} state
 * @param {number} id
 * @returns {Partial<State>} The column asked for once more.
 */
export function retryColumn({columns}, id) {
  const attempt = (columns.find((one) => one.id === id)?.attempt ?? 0) + 1;
  return {columns: patched(columns, id, {attempt})};
}
