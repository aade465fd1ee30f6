// What each head did at each step: the rules of ntm_core/analysis/operations.py, which says why they are as they are.

/** @import {Numbers} from '../memory.js' */
/** @import {TraceData} from '../trace_data.js' */
import {argmax, total} from './measures.js';

export const CONTENT_JUMP = 'content jump';
export const HOLD = 'hold';
export const MIXED = 'mixed';
const UNKNOWN = 'unknown';

/** A weighting is peaked if this share of it lies on one location, its focus. */
const PEAKED = 0.5;

/** The share of a weighting that may move while its head still holds. */
const HELD = 0.1;

/** A weighting further than this from what eq. 5 makes of w~ was put there by an intervention. */
const REPLACED = 1e-3;

/** At the focus, content has brought the head if this share of w~ came through it. */
const BY_CONTENT = 0.5;

/**
 * @typedef {object} Operation
 * @property {string} operation One of operationNames().
 * @property {number} displacement From the focus of w(t−1) to that of w(t), the nearer way round, forward positive.
 * @property {number} contentShare The share of w~ that came through content; 1 where an intervention replaced w by w^c;
 *   NaN where w~ is nothing.
 * @property {number} locationShare 1 − contentShare.
 * @property {number} remainder The share of w~ that eq. 3 and 4 do not explain: 0 unless an intervention set it.
 */

/**
 * @param {number} shift
 * @returns {string} 'shift −1', 'shift 0', 'shift +1'.
 */
function shiftName(shift) {
  return `shift ${shift < 0 ? '−' : shift > 0 ? '+' : ''}${Math.abs(shift)}`;
}

/**
 * @param {readonly number[]} shifts
 * @returns {string[]} Every operation of a head with these shifts, in the order in which a table shows them.
 */
export function operationNames(shifts) {
  return [CONTENT_JUMP, ...shifts.map(shiftName), HOLD, MIXED, UNKNOWN];
}

/**
 * The operation of one head at one step.
 *
 * @param {TraceData} data
 * @param {number} step
 * @param {number} head
 * @returns {Operation}
 */
export function operationAt(data, step, head) {
  const previous = data.previousWeighting(step, head);
  const weighting = data.at('weighting', step, head);
  const replaced = isContent(data, step, head);
  const explained = data.at(replaced ? 'content_weighting' : 'shifted_weighting', step, head);
  const {content, location} = replaced
    ? {content: Float64Array.from(explained), location: new Float64Array(explained.length)}
    : partsAt(data, step, head);
  const [through, past] = [total(content), total(location)];
  const whole = through + past;
  const contentShare = whole > 0 ? through / whole : NaN;
  let [unexplained, size] = [0, 0];
  for (let i = 0; i < explained.length; i++) {
    unexplained += Math.abs(explained[i] - content[i] - location[i]);
    size += Math.abs(explained[i]);
  }
  const circular = isCircular(data);
  const displacement = distance(argmax(previous), argmax(weighting), weighting.length, circular);
  return {
    operation: named({previous, weighting, content, location, displacement, shifts: data.header.shifts}),
    displacement,
    contentShare,
    locationShare: 1 - contentShare,
    remainder: unexplained / size,
  };
}

/**
 * What w~ of one head at one step is the sum of: what came through content, and what through location.
 *
 * @param {TraceData} data
 * @param {number} step
 * @param {number} head
 * @returns {{content: Float64Array, location: Float64Array}} (location) each.
 */
export function partsAt(data, step, head) {
  const gate = data.value('interpolation_gate', step, head);
  const taps = data.at('shift_weighting', step, head);
  const convolve = (/** @type {Numbers} */ values, /** @type {number} */ share) =>
    convolved(values, share, taps, data.header.shifts, isCircular(data));
  return {
    content: convolve(data.at('content_weighting', step, head), gate),
    location: convolve(data.previousWeighting(step, head), 1 - gate),
  };
}

/**
 * How many locations lie between two foci, forward positive: on a circle the nearer way round, forward if both are as
 * near.
 *
 * @param {number} was
 * @param {number} now
 * @param {number} size
 * @param {boolean} circular
 * @returns {number}
 */
export function distance(was, now, size, circular) {
  if (!circular) return now - was;
  const back = Math.floor((size - 1) / 2);
  return ((((now - was + back) % size) + size) % size) - back;
}

/**
 * @param {Numbers} weighting
 * @returns {boolean} Whether at least half of it, whatever it sums to, lies on one location.
 */
export function peaked(weighting) {
  const sum = total(weighting);
  return sum > 0 && weighting[argmax(weighting)] >= PEAKED * sum;
}

/** @param {TraceData} data */
function isCircular(data) {
  return data.header.config.shift_edge !== 'zero_padded';
}

/**
 * The first rule that holds.
 *
 * @param {{previous: Numbers, weighting: Numbers, content: Float64Array, location: Float64Array, displacement: number,
 *   shifts: readonly number[]}} addressing
 * @returns {string}
 */
function named({previous, weighting, content, location, displacement, shifts}) {
  if (movedShare(previous, weighting) <= HELD) return HOLD;
  if (Number.isNaN(total(weighting) + total(content) + total(location))) return UNKNOWN;
  const focus = argmax(weighting);
  const [here, there] = [content[focus], location[focus]];
  if (!peaked(weighting) || !(here + there > 0)) return MIXED;
  if (here >= BY_CONTENT * (here + there)) return CONTENT_JUMP;
  return peaked(previous) && shifts.includes(displacement) ? shiftName(displacement) : MIXED;
}

/**
 * Whether w is w^c although eq. 5 makes something else of w~: an intervention replaced it.
 *
 * @param {TraceData} data
 * @param {number} step
 * @param {number} head
 */
function isContent(data, step, head) {
  const [weighting, content] = [data.at('weighting', step, head), data.at('content_weighting', step, head)];
  if (!weighting.every((w, i) => w === content[i])) return false;
  const gamma = data.value('sharpening', step, head);
  const shifted = Float64Array.from(data.at('shifted_weighting', step, head));
  const most = Math.max(...shifted);
  const powers = shifted.map((w) => (w / most) ** gamma);
  const sum = total(powers);
  return powers.some((power, i) => Math.abs(power / sum - weighting[i]) > REPLACED);
}

/**
 * @param {Numbers} before
 * @param {Numbers} after
 * @returns {number} How much of the weighting lies elsewhere; NaN where one of both sums to nothing.
 */
function movedShare(before, after) {
  const [was, is] = [total(before), total(after)];
  let sum = 0;
  for (let i = 0; i < after.length; i++) sum += Math.abs(after[i] / is - before[i] / was);
  return sum / 2;
}

/**
 * Eq. 4 of a weighting times a share.
 *
 * @param {Numbers} values
 * @param {number} share
 * @param {Numbers} taps
 * @param {readonly number[]} shifts
 * @param {boolean} circular
 */
function convolved(values, share, taps, shifts, circular) {
  const size = values.length;
  const found = new Float64Array(size);
  for (let j = 0; j < shifts.length; j++) {
    for (let i = 0; i < size; i++) {
      const to = i + shifts[j];
      if (circular) found[((to % size) + size) % size] += taps[j] * (values[i] * share);
      else if (to >= 0 && to < size) found[to] += taps[j] * (values[i] * share);
    }
  }
  return found;
}
