// A cell of the map as a branch: the corrupted run with this one patch, beside the run it was forked from.

/** @import {Column} from '../compare/columns.js' */
/** @import {Intervention, Source, State, TraceRequest} from '../state.js' */
/** @import {Tree} from '../branches/tree.js' */
/** @import {PatchAsked, PatchRow} from './asked.js' */
import {withRun} from '../branches/moves.js';
import {MOST_BRANCHES, runOf, withChild} from '../branches/tree.js';
import {MOST_COLUMNS, newColumn, requestOf} from '../compare/columns.js';
import {rowWords} from './plot.js';

/** As many as a request takes. */
const MOST_SOURCES = 4;

/**
 * @param {State} state
 * @param {PatchAsked} asked
 * @param {PatchRow} row
 * @param {number} step
 * @returns {(Pick<State, 'columns'|'compare'> & {tree: Tree, request: TraceRequest})|string} The page with the patched run as
 *   the main trace, on the corrupted run's episode; or why that cannot be.
 */
export function patchedFork(state, {clean, corrupted}, row, step) {
  if (clean.sources) return 'The clean run takes from another run itself: a run that takes cannot be taken from.';
  if (clean.inputs && !sameEpisode(clean, corrupted)) return 'The clean episode was typed: it can be taken from only where the corrupted run is on it too.';
  if (state.tree.branches.length + 2 > MOST_BRANCHES) return `There are ${state.tree.branches.length} branches, and ${MOST_BRANCHES} are the most: delete one first.`;
  const {tree, id: parent} = withRun(state, corrupted);
  const source = sourceOf(clean, corrupted);
  const name = sourceName(runOf(tree, parent)?.sources ?? {}, source);
  if (!name) return `A run can take from ${MOST_SOURCES} others at most.`;
  const {tree: grown, id} = withChild(tree, parent, step, {
    interventions: [takeOf(row, step, name)], sources: {[name]: source}, name: `${rowWords(row)}, t = ${step + 1}`,
  });
  const run = runOf(grown, id);
  if (!run) throw new Error(`The tree has no branch ${id} although it was just made`);
  const {task, seed, initial_seed, inputs} = corrupted;
  const shown = {...grown, shown: id};
  const request = {task, seed, initial_seed, inputs, ...run};
  return {request, tree: shown, columns: withParent({...state, request, tree: shown}, parent, corrupted), compare: state.compare};
}

/**
 * @param {PatchRow} row
 * @param {number} step
 * @param {string} source
 * @returns {Intervention}
 */
function takeOf({quantity, head_name}, step, source) {
  return {quantity, operation: 'take', source, ...(head_name === null ? {} : {heads: [head_name]}), steps: [step, step + 1]};
}

/**
 * @param {TraceRequest} a
 * @param {TraceRequest} b
 */
function sameEpisode(a, b) {
  return a.seed === b.seed && JSON.stringify([a.task, a.inputs]) === JSON.stringify([b.task, b.inputs]);
}

/**
 * @param {TraceRequest} clean
 * @param {TraceRequest} corrupted
 * @returns {Source}
 */
function sourceOf(clean, corrupted) {
  const {checkpoint, seed, mode, interventions, leave_constraints} = clean;
  return {checkpoint, seed: sameEpisode(clean, corrupted) ? null : seed, mode, interventions, leave_constraints};
}

/**
 * @param {Record<string, Source>} sources Of the run that is patched.
 * @param {Source} source
 * @returns {string|null} That of the same source, or a new one; null where there is no room.
 */
function sourceName(sources, source) {
  const known = Object.entries(sources).find(([, other]) => JSON.stringify(other) === JSON.stringify(source));
  if (known) return known[0];
  const names = Array.from({length: MOST_SOURCES}, (_, at) => (at === 0 ? 'clean' : `clean ${at + 1}`));
  return names.find((name) => !Object.hasOwn(sources, name)) ?? null;
}

/**
 * @param {State} state
 * @param {number} parent
 * @param {TraceRequest} corrupted The parent's run.
 * @returns {Column[]} With the parent in one of them, in place of the same run if that is there.
 */
function withParent(state, parent, corrupted) {
  const {columns} = state;
  const same = columns.find(({choice}) => ('branch' in choice && choice.branch === parent)
    || JSON.stringify(requestOf(state, choice)) === JSON.stringify(corrupted));
  const column = newColumn({branch: parent});
  if (same) return columns.map((one) => (one === same && !('branch' in one.choice) ? {...column, offset: one.offset, trace: one.trace} : one));
  return [column, ...(columns.length < MOST_COLUMNS ? columns : columns.slice(1))];
}
