// Which rows of a column stand for which rows of A: asked of the server, and said in words.

/** @import {Api} from '../api.js' */
/** @import {Failure, State, TraceRequest} from '../state.js' */
import {refusalOf} from '../change_words.js';
import {failureFrom} from '../failure.js';
import {Latest} from '../latest.js';
import {brief} from '../views/format.js';
import {patiently} from './column_loader.js';

/**
 * @typedef {{name: string, kind: string, offset: number|null, rows: number[], weighting: number, memory: number|null,
 *   difference: number}} Matching
 * @typedef {{steps: number, skipped: string[], first: {step: number, stage: string, head: number|null, head_name: string|null,
 *   difference: number|null}|null}} ServerDivergence
 * @typedef {{divergence: ServerDivergence, matchings: Matching[], best: string|null, by_memory: boolean,
 *   matched_divergence: ServerDivergence|null, not_matched: string|null}} Comparison
 * @typedef {{status: 'pending'}|{status: 'failed', error: Failure}|{status: 'ready', value: Comparison}} Found
 */

/** Asks for the comparison of two traces, and only anew when they are others. */
export class Matcher {
  #key = '';
  #asking = new Latest();
  /** @type {Found} */ #found = {status: 'pending'};

  /**
   * @param {Pick<Api, 'compare'>} api
   * @param {() => void} changed Hears of every new finding.
   * @param {AbortSignal} signal
   */
  constructor(api, changed, signal) {
    this.api = api;
    this.changed = changed;
    signal.addEventListener('abort', () => this.#asking.end(), {once: true});
  }

  /**
   * @param {TraceRequest} a
   * @param {TraceRequest} b
   * @param {number} offset How many steps later B is at the same moment.
   * @returns {Found} What is known of these two by now.
   */
  found(a, b, offset) {
    const key = JSON.stringify([a, b, offset]);
    if (key !== this.#key) {
      this.#key = key;
      this.#found = {status: 'pending'};
      void this.#ask(a, b, offset, this.#asking.begin());
    }
    return this.#found;
  }

  /**
   * @param {TraceRequest} a
   * @param {TraceRequest} b
   * @param {number} offset
   * @param {AbortSignal} mine
   */
  async #ask(a, b, offset, mine) {
    /** @type {Found} */
    let found;
    try {
      found = {status: 'ready', value: await patiently(() => this.api.compare(a, b, offset, mine), mine)};
    } catch (error) {
      found = {status: 'failed', error: failureFrom(error)};
    }
    if (mine.aborted) return;
    this.#found = found;
    this.changed();
  }
}

/**
 * @param {Found} found
 * @returns {Matching|null} The one to use.
 */
export function bestMatching(found) {
  return found.status === 'ready' ? found.value.matchings.find(({name}) => name === found.value.best) ?? null : null;
}

/**
 * @template {Pick<TraceRequest, 'interventions'>} Run
 * @param {Run} a
 * @param {Run} b
 * @returns {Run} The one of two that a refusal of their comparison is of: a server that names an edit does not say whose.
 */
export function refusedRun(a, b) {
  return b.interventions.length > 0 ? b : a;
}

/**
 * @param {Found} found
 * @param {Pick<State, 'modes'>} state
 * @param {{mode: string}} refused Whose refusal a failure is.
 * @returns {string} Which matching is used and what it gains, or why none is.
 */
export function matchingText(found, state, refused) {
  if (found.status === 'pending') return 'Matching rows…';
  if (found.status === 'failed') return `Rows as they are: ${refusalOf(state, refused, found.error.message)}`;
  const best = bestMatching(found);
  if (!best) return `Rows as they are: ${found.value.not_matched}`;
  const {name, difference} = best;
  const plain = found.value.matchings.find(({kind}) => kind === 'identity');
  const gain = plain && plain !== best ? `, ${brief(plain.difference)} as they are` : '';
  return `Rows matched by ${name}: relative difference ${brief(difference)}${gain}.`;
}
