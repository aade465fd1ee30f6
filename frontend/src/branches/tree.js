// Branches: runs that were forked from others, as a small tree. All functions are pure.
//
// How data flows:
// * A root is a machine with its mode and edits; every other branch has edits of its own on top of its parent's, and the
//   first step at which it can differ from its parent. Task, seed and typed rows are the page's: another seed runs the
//   whole tree on another episode.
// * `runOf` puts the edits from root to branch into one list: what the server is asked, in a single request. The server
//   goes on from the first step that differs from a run that it still has, so a fork costs only the steps after it.
// * `tree.shown` is the branch that the main trace (A) is; then `state.request` is that branch's run, and edits by hand
//   become the branch's own. Who changes anything else of the request (model, mode, task) leaves the tree as it is:
//   `stillShown` says so in one place.
// * A column that shows a branch holds its id; so it follows when the branch, or a parent of it, is edited.
// * The address holds the branches, the shown one and the columns' ids (`link.js`), never the same edit twice.

/** @import {Changes} from '../interventions.js' */
/** @import {Intervention, TraceRequest} from '../state.js' */
import {withEdit, withUsedSources} from '../interventions.js';

/**
 * @typedef {object} Branch
 * @property {number} id
 * @property {string} name
 * @property {number|null} parent Id of the branch that it was forked from; null for a root.
 * @property {number} step The first step at which it can differ from its parent; 0 for a root.
 * @property {Intervention[]} interventions Its own, made after its parent's.
 * @property {boolean} leave_constraints Of the whole run.
 * @property {Changes['sources']} [sources] Its own, from which its interventions take.
 * @property {string} checkpoint Of a root; empty for others.
 * @property {string} mode Of a root; empty for others.
 *
 * @typedef {{branches: Branch[], shown: number|null}} Tree Parents stand before their children; `shown`: the branch that
 *   the main trace is, null if it is none.
 * @typedef {{checkpoint: string} & Changes} Run
 */

/** @type {Tree} */
export const NO_BRANCHES = Object.freeze({branches: [], shown: null});

/** As many as still make a small tree. */
export const MOST_BRANCHES = 24;

/** Characters of a name. */
export const LONGEST_NAME = 40;

/**
 * @param {Tree} tree
 * @param {number|null|undefined} id
 * @returns {Branch|undefined}
 */
export function branchOf({branches}, id) {
  return branches.find((branch) => branch.id === id);
}

/**
 * @param {Tree} tree
 * @param {number|null} id
 * @returns {Branch[]} From the root to this branch; empty if there is no such branch.
 */
export function pathTo(tree, id) {
  const branch = branchOf(tree, id);
  return branch ? [...pathTo(tree, branch.parent), branch] : [];
}

/**
 * @param {Tree} tree
 * @param {number} id
 * @returns {Run|null} What the server is asked; null if there is no such branch.
 */
export function runOf(tree, id) {
  const path = pathTo(tree, id);
  if (path.length === 0) return null;
  const [{checkpoint, mode}] = path;
  const {leave_constraints} = path[path.length - 1];
  const sources = Object.assign({}, ...path.map((branch) => branch.sources ?? {}));
  return withUsedSources({checkpoint, mode, interventions: path.flatMap(({interventions}) => interventions), leave_constraints, sources});
}

/**
 * @param {Tree} tree
 * @param {TraceRequest} request
 * @returns {Tree} With no branch shown, where the request is not the shown one's run.
 */
export function stillShown(tree, request) {
  const run = tree.shown === null ? null : runOf(tree, tree.shown);
  const same = run !== null && Object.keys(run).every((key) => sameJson(run[/** @type {keyof Run} */ (key)], request[/** @type {keyof Run} */ (key)]))
    && (run.sources !== undefined || request.sources === undefined);
  return same || tree.shown === null ? tree : {...tree, shown: null};
}

/**
 * @param {unknown} a
 * @param {unknown} b
 */
function sameJson(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}

/**
 * @param {Tree} tree
 * @returns {number} How many edits of the main trace are not its own but of the branches above it.
 */
export function inheritedEdits(tree) {
  return pathTo(tree, tree.shown).slice(0, -1).reduce((sum, {interventions}) => sum + interventions.length, 0);
}

/**
 * @param {Tree} tree
 * @param {number} id
 * @returns {Branch[]} The branch and all below it.
 */
export function withChildren(tree, id) {
  return tree.branches.filter((branch) => pathTo(tree, branch.id).some((one) => one.id === id));
}

/**
 * @param {Tree} tree
 * @returns {{branch: Branch, depth: number}[]} As a person reads a tree: each branch under its parent.
 */
export function asRead(tree) {
  return under(tree, null, 0);
}

/**
 * @param {Tree} tree
 * @param {number|null} parent
 * @param {number} depth
 * @returns {{branch: Branch, depth: number}[]}
 */
function under(tree, parent, depth) {
  return tree.branches.filter((branch) => branch.parent === parent).flatMap((branch) => (
    [{branch, depth}, ...under(tree, branch.id, depth + 1)]));
}

/**
 * @param {Tree} tree
 * @param {number} id
 * @param {Partial<Branch>} patch
 * @returns {Tree}
 */
function patchedBranch(tree, id, patch) {
  return {...tree, branches: tree.branches.map((branch) => (branch.id === id ? {...branch, ...patch} : branch))};
}

/**
 * @param {Tree} tree
 * @param {number} id
 * @param {string} name
 * @returns {Tree} The tree itself for an empty name or the same one.
 */
export function renamed(tree, id, name) {
  const clean = nameFrom(name);
  return clean === '' || clean === branchOf(tree, id)?.name ? tree : patchedBranch(tree, id, {name: clean});
}

/**
 * @param {string} text
 * @returns {string} As short as a name may be, in one line.
 */
export function nameFrom(text) {
  return [...text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim()].slice(0, LONGEST_NAME).join('').trim();
}

/**
 * @param {Tree} tree
 * @param {number} id
 * @param {Intervention[]} interventions Its own.
 * @returns {Tree} The step of the fork is earlier where an edit is.
 */
export function withOwn(tree, id, interventions) {
  const branch = branchOf(tree, id);
  if (!branch) return tree;
  const first = branch.parent === null ? 0 : Math.min(branch.step, ...interventions.map(({steps}) => steps?.[0] ?? 0));
  return patchedBranch(tree, id, {interventions, step: first});
}

/**
 * @param {Tree} tree
 * @param {number} id
 * @param {Intervention} edit
 * @returns {Tree} With the edit among the branch's own, in place of an earlier one there of the same place.
 */
export function editedBranch(tree, id, edit) {
  return withOwn(tree, id, withEdit(branchOf(tree, id)?.interventions ?? [], edit));
}

/**
 * @param {Tree} tree
 * @param {number} id
 * @param {boolean} leave_constraints
 * @returns {Tree}
 */
export function freed(tree, id, leave_constraints) {
  return patchedBranch(tree, id, {leave_constraints});
}

/**
 * @param {Tree} tree
 * @param {number} id
 * @returns {Tree} Without the branch and all below it; where one of them was shown, the parent of the deleted one is, if it
 *   has any.
 */
export function withoutBranch(tree, id) {
  const gone = withChildren(tree, id).map((branch) => branch.id);
  const shown = tree.shown !== null && gone.includes(tree.shown) ? branchOf(tree, id)?.parent ?? null : tree.shown;
  return {branches: tree.branches.filter((branch) => !gone.includes(branch.id)), shown};
}

/**
 * @param {Tree} tree
 * @param {Run} run
 * @param {string} name
 * @returns {{tree: Tree, id: number}} With this run as one more root; which is shown stays.
 */
export function withRoot(tree, {checkpoint, mode, interventions, leave_constraints, sources}, name) {
  const root = {name: unusedName(tree, nameFrom(name)), parent: null, step: 0, interventions, leave_constraints, checkpoint, mode, ...(sources ? {sources} : {})};
  return added(tree, root);
}

/**
 * @param {Tree} tree
 * @param {number} parent
 * @param {number} step
 * @param {{interventions?: Intervention[], sources?: Changes['sources'], name?: string}} [own]
 * @returns {{tree: Tree, id: number}} With one more branch; which is shown stays.
 */
export function withChild(tree, parent, step, {interventions = [], sources, name} = {}) {
  const count = tree.branches.filter((branch) => branch.parent !== null).length;
  const free = branchOf(tree, parent)?.leave_constraints ?? false;
  return added(tree, {
    name: unusedName(tree, name ? nameFrom(name) : `Branch ${count + 1}`), parent, step, interventions, leave_constraints: free,
    checkpoint: '', mode: '', ...(sources ? {sources} : {}),
  });
}

/**
 * @param {Tree} tree
 * @param {Omit<Branch, 'id'>} branch
 */
function added(tree, branch) {
  const id = 1 + Math.max(0, ...tree.branches.map((one) => one.id));
  return {tree: {...tree, branches: [...tree.branches, {...branch, id}]}, id};
}

/**
 * @param {Tree} tree
 * @param {string} name
 * @returns {string} The name, with a number after it if a branch has it already.
 */
function unusedName({branches}, name) {
  const used = new Set(branches.map((branch) => branch.name));
  const numbered = (/** @type {number} */ n) => `${name} (${n})`;
  if (!used.has(name)) return name;
  return numbered(Array.from(used, (_, at) => at + 2).find((n) => !used.has(numbered(n))) ?? used.size + 2);
}
