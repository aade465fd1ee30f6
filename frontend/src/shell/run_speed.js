// How fast a run is trained.

/** @import {RunInfo} from '../state.js' */

/** Milliseconds over which the speed is measured, where two measurements come within them. */
const SPEED_MS = 4000;

/** Fewer tell too little. */
const LEAST_MS = 300;

/**
 * @param {() => number} [clock] Milliseconds.
 * @returns {(run: Pick<RunInfo, 'id'|'status'|'progress'>) => number|null} Iterations a second, once the run has been seen to
 *   go on for a while. Only what was done while it was watched counts: not how far it was, nor how long it took to start.
 */
export function createSpeed(clock = () => performance.now()) {
  let seen = '';
  /** @type {number|null} */
  let last = null;
  /** @type {{at: number, iteration: number}[]} */
  let samples = [];
  return ({id, status, progress}) => {
    const iteration = progress?.iteration ?? null;
    if (id !== seen) last = null;
    if (id !== seen || status !== 'running' || iteration === null || (last !== null && iteration < last)) samples = [];
    else if (last !== null && iteration > last) samples = [...samples, {at: clock(), iteration}];
    [seen, last] = [id, iteration];
    if (samples.length < 2) return null;
    const newest = samples[samples.length - 1];
    const recent = samples.filter(({at}) => newest.at - at < SPEED_MS);
    samples = recent.length > 1 ? recent : samples.slice(-2);
    const [first] = samples;
    return newest.at - first.at > LEAST_MS ? (1000 * (newest.iteration - first.iteration)) / (newest.at - first.at) : null;
  };
}
