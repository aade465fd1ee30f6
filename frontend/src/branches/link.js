// Branches in the URL's hash, and back. Nothing in a hash is trusted: a parent stands before its children, so that no
// branch can be above itself; the server checks the interventions.

/** @import {Branch, Tree} from './tree.js' */
import {interventionsFrom, isRunOf, sourcesFrom} from '../interventions.js';
import {LONGEST_NAME, MOST_BRANCHES, nameFrom} from './tree.js';

const MAX_ID = 9999;
const MAX_STEP = 1_000_000;

/**
 * @param {Tree} tree
 * @returns {unknown[]} Of each branch what is not as usual; t of its fork as the screen counts.
 */
export function branchParts({branches}) {
  return branches.map(({id, name, parent, step, interventions, leave_constraints, sources, checkpoint, mode}) => ({
    id,
    name,
    ...(parent === null ? {checkpoint, ...(mode === 'full' ? {} : {mode})} : {parent, t: step + 1}),
    ...(interventions.length > 0 ? {edits: interventions} : {}),
    ...(leave_constraints ? {unconstrained: 1} : {}),
    ...(sources ? {sources} : {}),
  }));
}

/**
 * @param {unknown} value What `branchParts` makes, parsed.
 * @returns {Branch[]|null} Null if it is no tree of branches.
 */
export function branchesFrom(value) {
  if (!Array.isArray(value) || value.length > MOST_BRANCHES) return null;
  /** @type {Branch[]} */
  const branches = [];
  for (const one of value) {
    const branch = branchFrom(one, branches);
    if (!branch) return null;
    branches.push(branch);
  }
  return branches;
}

/**
 * @param {unknown} value
 * @param {Branch[]} before The only ones that can be its parent.
 * @returns {Branch|null}
 */
function branchFrom(value, before) {
  if (typeof value !== 'object' || value === null) return null;
  const {id, name, parent = null, t = 1, edits = [], unconstrained = 0, sources = {}, checkpoint = '', mode = 'full'} = /** @type {Record<string, unknown>} */ (value);
  const [interventions, others] = [interventionsFrom(edits), sourcesFrom(sources)];
  if (!isWhole(id, 1, MAX_ID) || before.some((one) => one.id === id) || !isWhole(t, 1, MAX_STEP) || !interventions || !others) return null;
  if (typeof name !== 'string' || name.length > 4 * LONGEST_NAME || nameFrom(name) === '') return null;
  if (unconstrained !== 0 && unconstrained !== 1) return null;
  if (parent === null ? !isRunOf(checkpoint, mode) : !before.some((one) => one.id === parent)) return null;
  const root = parent === null ? {checkpoint: String(checkpoint), mode: String(mode)} : {checkpoint: '', mode: ''};
  return {
    id: Number(id), name: nameFrom(name), parent: parent === null ? null : Number(parent), step: parent === null ? 0 : Number(t) - 1,
    interventions, leave_constraints: unconstrained === 1, ...root, ...(Object.keys(others).length > 0 ? {sources: others} : {}),
  };
}

/**
 * @param {unknown} value
 * @param {number} low
 * @param {number} high
 */
export function isWhole(value, low, high) {
  return Number.isInteger(value) && Number(value) >= low && Number(value) <= high;
}
