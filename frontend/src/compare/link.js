// The columns in the URL's hash, and back. Nothing in a hash is trusted; the server checks the interventions.

/** @import {State} from '../state.js' */
/** @import {ColumnChoice, CompareView} from './columns.js' */
import {interventionsFrom, madeChanges} from '../interventions.js';
import {DEFAULT_COMPARE} from '../state.js';
import {MOST_COLUMNS} from './columns.js';

/** @typedef {{columns: ColumnChoice[], view: CompareView}} ComparePlace */

const ID = /^[\w.-]{1,100}$/;
const MODE = /^[a-z_]{1,40}$/;

/** @returns {ComparePlace} What a link without columns says. */
export function noColumns() {
  return {columns: [], view: DEFAULT_COMPARE};
}

/**
 * @param {State} state
 * @returns {Record<string, string>} Of each column what is not as usual; nothing without columns.
 */
export function compareParts({columns, compare}) {
  if (columns.length === 0) return {};
  return {
    compare: readable(columns.map(({choice}) => ({checkpoint: choice.checkpoint, ...madeChanges(choice)}))),
    ...Object.fromEntries(VIEW_PARTS.flatMap(([name, key]) => (compare[key] === DEFAULT_COMPARE[key] ? [] : [[name, compare[key]]]))),
  };
}

/** @type {readonly [string, keyof CompareView, string[]][]} Name in the link, key, and values. */
const VIEW_PARTS = [
  ['align', 'align', ['step', 'delimiter']], ['scales', 'scales', ['shared', 'own']], ['rows', 'rows', ['matched', 'raw']], ['delta', 'delta', ['B', 'C', 'D']],
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
  const {checkpoint, mode = 'full', interventions = [], leave_constraints = false} = /** @type {Record<string, unknown>} */ (value);
  const changes = interventionsFrom(interventions);
  if (typeof checkpoint !== 'string' || !ID.test(checkpoint) || typeof mode !== 'string' || !MODE.test(mode)) return null;
  return typeof leave_constraints === 'boolean' && changes ? {checkpoint, mode, interventions: changes, leave_constraints} : null;
}
