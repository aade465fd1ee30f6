// What can be told of a step's weightings before they are read: server/WIRE.md, "Predictions". Every operation here is one
// that IEEE 754 defines to the last bit, in the order in which server/prediction.py does it, so that both find the same bits.
// Math.exp, Math.log and sums in another order would not.

/** @import {Numbers} from './memory.js' */

const LEAST = -104;
const LOG2_E = 1.4426950408889634;
const LN_2 = 0.6931471805599453;
const ROOT_OF_HALF = 0.7071067811865476;
const FLOOR = Math.fround(1e-30);

/** 1/8!, 1/7!, … 1/0! */
const EXPONENTIAL = [40320, 5040, 720, 120, 24, 6, 2, 1, 1].map((factorial) => 1 / factorial);
const LOGARITHM = [11, 9, 7, 5, 3, 1].map((odd) => 1 / odd);

/** 2^0, 2^-1, … each half of the one before, so exact. */
const HALVINGS = new Float64Array(160).fill(1);
for (let power = 1; power < HALVINGS.length; power++) HALVINGS[power] = HALVINGS[power - 1] / 2;

const single = new Float32Array(1);
const bits = new Int32Array(single.buffer);

/**
 * @param {number} x In [−104, 0].
 * @returns {number} e^x, within 1e-9 of it.
 */
export function exponential(x) {
  const halvings = Math.floor(0.5 - x * LOG2_E);
  const rest = x + halvings * LN_2;
  let power = EXPONENTIAL[0];
  for (let order = 1; order < EXPONENTIAL.length; order++) power = power * rest + EXPONENTIAL[order];
  return power * HALVINGS[halvings];
}

/**
 * @param {number} x A normal float32 above 0.
 * @returns {number} ln x, within 1e-10 of it; some number for infinity.
 */
export function logarithm(x) {
  single[0] = x;
  let exponent = ((bits[0] >> 23) & 255) - 126;
  bits[0] = (bits[0] & 0x7fffff) | 0x3f000000;
  let fraction = single[0];
  if (fraction < ROOT_OF_HALF) {
    fraction *= 2;
    exponent -= 1;
  }
  const ratio = (fraction - 1) / (fraction + 1);
  const square = ratio * ratio;
  let series = LOGARITHM[0];
  for (let order = 1; order < LOGARITHM.length; order++) series = series * square + LOGARITHM[order];
  return exponent * LN_2 + 2 * ratio * series;
}

/**
 * Each score's share of the sum of e^score, in place.
 *
 * @param {Float32Array} scores
 * @param {Float64Array} powers Room for as many numbers.
 */
export function softmaxInPlace(scores, powers) {
  let greatest = -Infinity;
  for (const score of scores) if (score > greatest) greatest = score;
  let sum = 0;
  for (let i = 0; i < scores.length; i++) {
    const below = Math.fround(scores[i] - greatest);
    powers[i] = exponential(below >= LEAST ? below : LEAST);
    sum += powers[i];
  }
  for (let i = 0; i < scores.length; i++) scores[i] = powers[i] / sum;
}

/**
 * @param {number} value
 * @param {number} least
 * @returns {number} The value, or `least` where it is not greater: NaN too.
 */
const atLeast = (value, least) => (value > least ? value : least);

/**
 * The length of each row of memory.
 *
 * @param {Float64Array} norms (location)
 * @param {Numbers} memory (location × word)
 */
export function fillNorms(norms, memory) {
  const words = memory.length / norms.length;
  for (let i = 0, at = 0; i < norms.length; i++) {
    let square = 0;
    for (const end = at + words; at < end; at++) square += memory[at] * memory[at];
    norms[i] = Math.sqrt(square);
  }
}

/**
 * Eq. 1 with the cosine of eq. 2.
 *
 * @param {Float32Array} found (location)
 * @param {{memory: Numbers, norms: Float64Array, key: Numbers, strength: number, epsilon: number, powers: Float64Array}} given
 */
export function fillContent(found, {memory, norms, key, strength, epsilon, powers}) {
  let square = 0;
  for (const k of key) square += k * k;
  const length = atLeast(Math.sqrt(square), epsilon);
  for (let i = 0, at = 0; i < found.length; i++) {
    let product = 0;
    for (let j = 0; j < key.length; j++, at++) product += key[j] * memory[at];
    found[i] = strength * Math.fround(product / (length * atLeast(norms[i], epsilon)));
  }
  softmaxInPlace(found, powers);
}

/**
 * Eq. 3.
 *
 * @param {Float32Array} found (location)
 * @param {{content: Numbers, previous: Numbers, gate: number}} given
 */
export function fillGated(found, {content, previous, gate}) {
  const kept = Math.fround(1 - gate);
  for (let i = 0; i < found.length; i++) found[i] = Math.fround(gate * content[i]) + Math.fround(kept * previous[i]);
}

/**
 * Eq. 4.
 *
 * @param {Float32Array} found (location)
 * @param {{gated: Numbers, taps: Numbers, shifts: readonly number[], circular: boolean}} given
 */
export function fillShifted(found, {gated, taps, shifts, circular}) {
  const size = found.length;
  for (let j = 0; j < taps.length; j++) {
    let from = circular ? ((-shifts[j] % size) + size) % size : -shifts[j];
    for (let i = 0; i < size; i++, from++) {
      if (circular && from === size) from = 0;
      const moved = Math.fround(taps[j] * (from >= 0 && from < size ? gated[from] : 0));
      found[i] = j === 0 ? moved : found[i] + moved;
    }
  }
}

/**
 * Eq. 5.
 *
 * @param {Float32Array} found (location)
 * @param {{shifted: Numbers, sharpening: number, powers: Float64Array}} given
 */
export function fillSharpened(found, {shifted, sharpening, powers}) {
  for (let i = 0; i < found.length; i++) {
    found[i] = sharpening * Math.fround(logarithm(atLeast(shifted[i], FLOOR)));
  }
  softmaxInPlace(found, powers);
}
