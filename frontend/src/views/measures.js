// What is read off a weighting.

/**
 * @param {ArrayLike<number>} values
 * @returns {number} Their sum.
 */
export function total(values) {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum;
}

/**
 * @param {ArrayLike<number>} values
 * @returns {number} Index of the largest, the first of several; −1 if there is none. NaN counts as nothing.
 */
export function argmax(values) {
  let best = -1;
  for (let i = 0; i < values.length; i++) if (values[i] > (best < 0 ? -Infinity : values[best])) best = i;
  return best;
}

/**
 * @param {ArrayLike<number>} values
 * @returns {number} The largest absolute value; what is not finite counts as nothing.
 */
export function peak(values) {
  let best = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]);
    if (size > best && size < Infinity) best = size;
  }
  return best;
}

/** How far Σ w may be from 1 by rounding alone. */
export const ROUNDING = 1e-5;

/**
 * Entropy −Σ w log2 w: 0 for one location, log2 N for all alike. Of what does not add up to 1 that of its shares.
 *
 * @param {ArrayLike<number>} weighting
 * @returns {number} In bits; NaN where an entry is.
 */
export function entropyBits(weighting) {
  const sum = total(weighting);
  const whole = sum > 0 && Number.isFinite(sum) && Math.abs(sum - 1) > ROUNDING ? sum : 1;
  let bits = 0;
  for (let i = 0; i < weighting.length; i++) {
    const share = weighting[i] / whole;
    if (!(share <= 0)) bits -= share * Math.log2(share);
  }
  return bits === 0 ? 0 : bits;
}

/**
 * @param {ArrayLike<number>} shiftWeighting
 * @param {ArrayLike<number>} shifts Offset of each entry.
 * @returns {number} Σ_j s(j) · offset(j), in locations.
 */
export function expectedShift(shiftWeighting, shifts) {
  let sum = 0;
  for (let j = 0; j < shifts.length; j++) sum += shiftWeighting[j] * shifts[j];
  return sum;
}

/**
 * The mean location on the circle of N locations, where the last one is next to the first.
 *
 * @param {ArrayLike<number>} weighting
 * @returns {number} In [0, N); NaN where no direction is preferred, as for a uniform weighting.
 */
export function circularMean(weighting) {
  const count = weighting.length;
  const turn = (2 * Math.PI) / count;
  let [x, y] = [0, 0];
  for (let i = 0; i < count; i++) {
    if (weighting[i] === 0) continue;
    x += weighting[i] * Math.cos(turn * i);
    y += weighting[i] * Math.sin(turn * i);
  }
  if (!(Math.hypot(x, y) > 1e-6 * total(weighting))) return NaN;
  const position = Math.atan2(y, x) / turn;
  const wrapped = position < 0 ? position + count : position;
  return wrapped >= count - 1e-9 ? 0 : wrapped;
}

/**
 * @param {number} output
 * @param {number} target
 * @returns {boolean} Whether the output lies on the wrong side of 0.5; false where one of both is not known.
 */
export function isWrong(output, target) {
  return !Number.isNaN(output) && !Number.isNaN(target) && (output > 0.5) !== (target > 0.5);
}
