// The columns in the URL's hash, and back. Nothing in a hash is trusted; the server checks the interventions.

/** @import {State} from '../state.js' */
/** @import {Tree} from '../branches/tree.js' */
/** @import {PatchView} from '../patching/asked.js' */
/** @import {ColumnChoice, CompareView} from './columns.js' */
import {branchesFrom, branchParts, isWhole} from '../branches/link.js';
import {branchOf, NO_BRANCHES} from '../branches/tree.js';
import {interventionsFrom, isRunOf, madeChanges, sourcesFrom} from '../interventions.js';
import {DEFAULT_COMPARE} from '../state.js';
import {patchFrom, patchParts} from '../patching/asked.js';
import {MOST_COLUMNS} from './columns.js';

const MAX_OFFSET = 1_000_000;

/** @typedef {{columns: ColumnChoice[], offsets: number[], view: CompareView, tree: Tree, patching: PatchView|null}} ComparePlace */

/** @returns {ComparePlace} What a link without columns says. */
export function noColumns() {
  return {columns: [], offsets: [], view: DEFAULT_COMPARE, tree: NO_BRANCHES, patching: null};
}

/**
 * @param {State} state
 * @returns {Record<string, string>} Of each column what is not as usual; nothing without columns.
 */
export function compareParts({columns, compare, tree, patching}) {
  return {...treeParts(tree), ...(columns.length > 0 ? columnParts({columns, compare}) : {}), ...patchParts(patching)};
}

/**
 * @param {Tree} tree
 * @returns {Record<string, string>}
 */
function treeParts(tree) {
  if (tree.branches.length === 0) return {};
  return {branches: readable(branchParts(tree)), ...(tree.shown === null ? {} : {branch: String(tree.shown)})};
}

/**
 * @param {Pick<State, 'columns'|'compare'>} state
 * @returns {Record<string, string>}
 */
function columnParts({columns, compare}) {
  return {
    compare: readable(columns.map(({choice}) => ('branch' in choice ? choice : {checkpoint: choice.checkpoint, ...madeChanges(choice)}))),
    ...Object.fromEntries(VIEW_PARTS.flatMap(([name, key]) => (compare[key] === DEFAULT_COMPARE[key] ? [] : [[name, compare[key]]]))),
    ...(compare.align === 'phase' ? {phase: compare.phase} : {}),
    ...(compare.align === 'hand' ? {offsets: columns.map(({offset}) => offset).join(',')} : {}),
  };
}

/** @type {readonly [string, 'align'|'scales'|'rows'|'delta'|'stages', string[]][]} Name in the link, key, and values. */
const VIEW_PARTS = [
  ['align', 'align', ['step', 'delimiter', 'jump', 'phase', 'hand']], ['scales', 'scales', ['shared', 'own']], ['rows', 'rows', ['matched', 'raw']], ['delta', 'delta', ['B', 'C', 'D']],
  ['stages', 'stages', ['closed', 'open']],
];

/**
 * @param {unknown} value
 * @returns {string} JSON with ' for ", which a URL shows as it is; plain JSON where a ' occurs in it.
 */
function readable(value) {
  const json = JSON.stringify(value);
  return json.includes("'") ? json : json.replaceAll('"', "'");
}

/** @type {Record<string, (place: ComparePlace, value: string) => boolean>} Each says whether it could use the value. */
export const COMPARE_READERS = {
  compare(place, value) {
    const choices = parsed(value)?.map(choiceFrom) ?? [null];
    if (choices.length > MOST_COLUMNS || choices.includes(null)) return false;
    place.columns = /** @type {ColumnChoice[]} */ (choices);
    return true;
  },
  branches(place, value) {
    const branches = branchesFrom(parsed(value));
    if (branches) place.tree = {...place.tree, branches};
    return branches !== null;
  },
  branch(place, value) {
    const id = /^\d{1,4}$/.test(value) ? Number(value) : NaN;
    if (isWhole(id, 1, 9999)) place.tree = {...place.tree, shown: id};
    return place.tree.shown === id;
  },
  patch(place, value) {
    place.patching = patchFrom(value);
    return place.patching !== null;
  },
  phase(place, value) {
    const good = value.length > 0 && value.length <= 100;
    if (good) place.view = {...place.view, phase: value};
    return good;
  },
  offsets(place, value) {
    const offsets = value.split(',').map((one) => (/^-?\d{1,7}$/.test(one) ? Number(one) : NaN));
    const good = offsets.length <= MOST_COLUMNS && offsets.every((one) => Math.abs(one) <= MAX_OFFSET);
    if (good) place.offsets = offsets;
    return good;
  },
  ...Object.fromEntries(VIEW_PARTS.map(([name, key, values]) => [name, (/** @type {ComparePlace} */ place, /** @type {string} */ value) => {
    if (!values.includes(value)) return false;
    place.view = {...place.view, [key]: value};
    return true;
  }])),
};

/**
 * @param {string} text JSON, in which ' may stand for ".
 * @returns {unknown[]|null}
 */
function parsed(text) {
  try {
    const list = /** @type {unknown} */ (JSON.parse(text.includes('"') ? text : text.replaceAll("'", '"')));
    return Array.isArray(list) ? list : null;
  } catch {
    return null;
  }
}

/**
 * @param {unknown} value
 * @returns {ColumnChoice|null} Null if it is none.
 */
function choiceFrom(value) {
  if (typeof value !== 'object' || value === null) return null;
  if ('branch' in value) return isWhole(value.branch, 1, 9999) ? {branch: Number(value.branch)} : null;
  const {checkpoint, mode = 'full', interventions = [], leave_constraints = false, sources = {}} = /** @type {Record<string, unknown>} */ (value);
  const [changes, others] = [interventionsFrom(interventions), sourcesFrom(sources)];
  if (!isRunOf(checkpoint, mode) || typeof leave_constraints !== 'boolean' || !changes || !others) return null;
  const some = Object.keys(others).length > 0 ? {sources: others} : {};
  return {checkpoint: String(checkpoint), mode: String(mode), interventions: changes, leave_constraints, ...some};
}

/**
 * @param {ComparePlace} place
 * @returns {string[]} One sentence for each branch that is named but not there; the place is left without them.
 */
export function withoutStrangers(place) {
  const missing = (/** @type {number} */ id) => !branchOf(place.tree, id);
  const {shown} = place.tree;
  const problems = [];
  if (shown !== null && missing(shown)) {
    place.tree = {...place.tree, shown: null};
    problems.push(`The link shows branch ${shown}, which it does not have.`);
  }
  const known = place.columns.filter((choice) => !('branch' in choice) || !missing(choice.branch));
  if (known.length < place.columns.length) problems.push('The link has a column of a branch that it does not have; the column was left out.');
  place.columns = known;
  return problems;
}
