// What can be told of a step's weightings before they are read: server/WIRE.md, "Predictions". Every operation here is one
// that IEEE 754 defines to the last bit, in the order in which server/prediction.py does it, so that both find the same bits.
// Math.exp, Math.log and sums in another order would not.

/** @import {Numbers} from './memory.js' */

const LEAST = -104;
const LOG2_E = 1.4426950408889634;
const LN_2 = 0.6931471805599453;
const ROOT_OF_HALF = 0.7071067811865476;
const FLOOR = Math.fround(1e-30);

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
  let power = 1 / 40320;
  power = power * rest + 1 / 5040;
  power = power * rest + 1 / 720;
  power = power * rest + 1 / 120;
  power = power * rest + 1 / 24;
  power = power * rest + 1 / 6;
  power = power * rest + 1 / 2;
  power = power * rest + 1;
  power = power * rest + 1;
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
  let series = 1 / 11;
  series = series * square + 1 / 9;
  series = series * square + 1 / 7;
  series = series * square + 1 / 5;
  series = series * square + 1 / 3;
  series = series * square + 1;
  return exponent * LN_2 + 2 * ratio * series;
}

/**
 * Each score's share of the sum of e^score, in place.
 *
 * @param {Float32Array} scores
 * @param {Float64Array} powers Room for as many numbers.
 * @param {boolean} [floored] Whether a share below 1e-30 is 0.
 */
function softmaxInPlace(scores, powers, floored = false) {
  let greatest = -Infinity;
  for (let i = 0; i < scores.length; i++) if (scores[i] > greatest) greatest = scores[i];
  let sum = 0;
  for (let i = 0; i < scores.length; i++) {
    const below = Math.fround(scores[i] - greatest);
    powers[i] = exponential(below >= LEAST ? below : LEAST);
    sum += powers[i];
  }
  for (let i = 0; i < scores.length; i++) scores[i] = powers[i] / sum;
  if (floored) for (let i = 0; i < scores.length; i++) if (scores[i] < FLOOR) scores[i] = 0;
}

/**
 * @param {number} value
 * @param {number} least
 * @returns {number} The value, or `least` where it is not greater: NaN too.
 */
const atLeast = (value, least) => (value > least ? value : least);

/**
 * The product of each row of memory with a key. Four rows at a time: a sum waits for its own last term, not for others'.
 *
 * @param {Float64Array} products (location)
 * @param {Numbers} memory (location × word)
 * @param {Float64Array} key (word)
 */
function fillProducts(products, memory, key) {
  const rows = products.length;
  const words = key.length;
  let i = 0;
  for (let at = 0; i + 4 <= rows; i += 4, at += 3 * words) {
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let j = 0; j < words; j++, at++) {
      const k = key[j];
      a += k * memory[at];
      b += k * memory[at + words];
      c += k * memory[at + 2 * words];
      d += k * memory[at + 3 * words];
    }
    products[i] = a;
    products[i + 1] = b;
    products[i + 2] = c;
    products[i + 3] = d;
  }
  for (; i < rows; i++) {
    let sum = 0;
    for (let j = 0; j < words; j++) sum += key[j] * memory[i * words + j];
    products[i] = sum;
  }
}

/**
 * The length of each row of memory, four at a time.
 *
 * @param {Float64Array} norms (location)
 * @param {Numbers} memory (location × word)
 */
export function fillNorms(norms, memory) {
  const rows = norms.length;
  const words = memory.length / rows;
  let i = 0;
  for (let at = 0; i + 4 <= rows; i += 4, at += 3 * words) {
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let j = 0; j < words; j++, at++) {
      a += memory[at] * memory[at];
      b += memory[at + words] * memory[at + words];
      c += memory[at + 2 * words] * memory[at + 2 * words];
      d += memory[at + 3 * words] * memory[at + 3 * words];
    }
    norms[i] = Math.sqrt(a);
    norms[i + 1] = Math.sqrt(b);
    norms[i + 2] = Math.sqrt(c);
    norms[i + 3] = Math.sqrt(d);
  }
  for (; i < rows; i++) {
    let square = 0;
    for (let j = 0; j < words; j++) square += memory[i * words + j] * memory[i * words + j];
    norms[i] = Math.sqrt(square);
  }
}

/**
 * Eq. 1 with the cosine of eq. 2.
 *
 * @param {Float32Array} found (location)
 * @param {{memory: Numbers, norms: Float64Array, key: Numbers, strength: number, epsilon: number, powers: Float64Array,
 *   floored?: boolean}} given
 */
export function fillContent(found, {memory, norms, key, strength, epsilon, powers, floored}) {
  let square = 0;
  for (let j = 0; j < key.length; j++) square += key[j] * key[j];
  const length = atLeast(Math.sqrt(square), epsilon);
  fillProducts(powers, memory, new Float64Array(key));
  for (let i = 0; i < found.length; i++) {
    found[i] = strength * Math.fround(powers[i] / (length * atLeast(norms[i], epsilon)));
  }
  softmaxInPlace(found, powers, floored);
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
 * @param {{shifted: Numbers, sharpening: number, powers: Float64Array, floored?: boolean}} given
 */
export function fillSharpened(found, {shifted, sharpening, powers, floored}) {
  for (let i = 0; i < found.length; i++) {
    found[i] = sharpening * Math.fround(logarithm(atLeast(shifted[i], FLOOR)));
  }
  softmaxInPlace(found, powers, floored);
}
