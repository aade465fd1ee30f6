// What a person does with branches, as patches of the state; what then has to be asked, actions.js asks.

/** @import {Column} from '../compare/columns.js' */
/** @import {State, TraceState} from '../state.js' */
/** @import {Run, Tree} from './tree.js' */
import {modeOf} from '../change_words.js';
import {chosenRun, mainChoice, MOST_COLUMNS, newColumn, requestOf} from '../compare/columns.js';
import {modelName} from '../runs.js';
import {EMPTY_TRACE} from '../state.js';
import {branchOf, MOST_BRANCHES, runOf, withChild, withoutBranch, withRoot} from './tree.js';

/**
 * @param {State} state
 * @returns {boolean} Whether there is room for one more branch, and for the root that it may need.
 */
export function hasRoom({tree}) {
  return tree.branches.length + (tree.shown === null ? 2 : 1) <= MOST_BRANCHES;
}

/**
 * @param {State} state With a request.
 * @returns {Pick<State, 'tree'|'columns'|'compare'>} With a new branch at the cursor as the main trace, which is the same run
 *   until it is edited, and its parent in column B.
 */
export function forked(state) {
  const {tree, id: parent} = withMain(state);
  const {tree: grown, id} = withChild(tree, parent, state.step);
  return {tree: {...grown, shown: id}, columns: withParent(state, parent), compare: {...state.compare, delta: 'B'}};
}

/**
 * @param {State} state With a request.
 * @returns {{tree: Tree, id: number}} With the main trace among the branches, as a root if it is none yet, and its id.
 */
function withMain(state) {
  const {tree, request} = state;
  if (tree.shown !== null || !request) return {tree, id: tree.shown ?? 0};
  return withRun(state, request);
}

/**
 * @param {State} state
 * @param {Run} run
 * @returns {{tree: Tree, id: number}} With this run among the branches: as one that is there, or as a new root.
 */
export function withRun(state, run) {
  const {tree} = state;
  const own = JSON.stringify(changesOf(run));
  const known = tree.branches.find(({id}) => {
    const other = runOf(tree, id);
    return other && JSON.stringify(changesOf(other)) === own;
  });
  return known ? {tree, id: known.id} : withRoot(tree, run, runName(state, run));
}

/** @param {Run} run */
function changesOf({checkpoint, mode, interventions, leave_constraints, sources = {}}) {
  return [checkpoint, mode, interventions, leave_constraints, sources];
}

/**
 * @param {State} state
 * @param {Run} run
 * @returns {string} What a root is called until a person gives it a name.
 */
function runName({checkpoints, modes}, {checkpoint, mode}) {
  const model = modelName(checkpoints, checkpoint);
  const title = modeOf({modes}, mode)?.title;
  return mode === 'full' ? model : `${model}, ${(title ?? mode).toLowerCase()}`;
}

/**
 * @param {State} state
 * @param {number} parent
 * @returns {Column[]} With the parent in one of them: B, unless another shows it already.
 */
function withParent({columns, trace}, parent) {
  if (columns.some(({choice}) => 'branch' in choice && choice.branch === parent)) return columns;
  const column = {...newColumn({branch: parent}), trace: asColumn(trace)};
  return [column, ...(columns.length < MOST_COLUMNS ? columns : columns.slice(1))];
}

/**
 * @param {TraceState} trace
 * @returns {TraceState} What of the main trace a column shows.
 */
function asColumn({status, data, received, end}) {
  return {...EMPTY_TRACE, status, data, received, end};
}

/**
 * @param {State} state
 * @param {number} id Of a column.
 * @returns {Pick<State, 'request'|'tree'|'columns'>|null} With the main trace and this column in each other's place; null
 *   where that cannot be.
 */
export function swapped(state, id) {
  const {columns, tree, trace} = state;
  const column = columns.find((one) => one.id === id);
  const request = column ? requestOf(state, column.choice) : null;
  const main = mainChoice(state);
  if (!column || !request || !main) return null;
  const shown = 'branch' in column.choice ? column.choice.branch : null;
  const {offset} = column;
  const other = {...newColumn(main), offset: 0 - offset, trace: asColumn(trace)};
  return {request, tree: {...tree, shown}, columns: columns.map((one) => (one === column ? other : {...one, offset: one.offset - offset}))};
}

/**
 * @param {State} state
 * @param {number} id
 * @returns {Pick<State, 'tree'|'columns'>} Without the branch, all below it, and the columns that show one of them
 *   or what becomes the main trace.
 */
export function pruned({tree, columns}, id) {
  const left = withoutBranch(tree, id);
  const isMain = (/** @type {Column} */ {choice}) => left.shown !== tree.shown && 'branch' in choice && choice.branch === left.shown;
  return {tree: left, columns: columns.filter((column) => chosenRun({tree: left}, column.choice) && !isMain(column))};
}

/**
 * @param {State} state
 * @param {number} id Of a branch.
 * @returns {Partial<State>} With the branch in one more column; nothing where it is shown already or there is no room.
 */
export function inColumn({tree, columns}, id) {
  const there = columns.some(({choice}) => 'branch' in choice && choice.branch === id);
  if (there || tree.shown === id || columns.length >= MOST_COLUMNS || !branchOf(tree, id)) return {};
  return {columns: [...columns, newColumn({branch: id})]};
}
