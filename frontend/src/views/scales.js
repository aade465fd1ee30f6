// Colour scales of the three kinds of numbers on the page: amounts in [0, 1], signed values, bits.

/** @import {ColorMap} from '../colors.js' */
/** @import {Model} from './model.js' */
import {DIVERGING, INK, SEQUENTIAL} from '../colors.js';

/** @typedef {ArrayLike<number>} Values */

/**
 * @typedef {object} Scale
 * @property {number} low
 * @property {number} high
 * @property {ColorMap} map
 * @property {number[]} [ticks] Where the colour bar has labels.
 * @property {string[]} [labels]
 */

/** Smallest weighting that a logarithmic scale tells from zero: 10 to this power. */
const FLOOR = -6;

/** @type {Scale} */
const LOGARITHMIC = Object.freeze({
  low: 0, high: -FLOOR, map: SEQUENTIAL, ticks: [0, 2, 4, 6], labels: ['≤10<sup>−6</sup>', '10<sup>−4</sup>', '10<sup>−2</sup>', '1'],
});

/** @type {Scale} */
const FIXED = Object.freeze({low: 0, high: 1, map: SEQUENTIAL, ticks: [0, 0.25, 0.5, 0.75, 1]});

/**
 * @param {Model} model
 * @returns {Scale} For weightings: [0, 1], never fitted to the data; logarithmic, or for differences, if chosen.
 */
export function weightingScale({reference, scale, theme}) {
  if (reference !== null) return {low: -1, high: 1, map: DIVERGING[theme.shade], ticks: [-1, -0.5, 0, 0.5, 1]};
  return scale.weighting === 'log' ? LOGARITHMIC : FIXED;
}

/**
 * @param {Model} model
 * @returns {boolean} Whether what is shown of weightings is another number than the weight.
 */
export function isScaled({reference, scale}) {
  return reference !== null || scale.weighting === 'log';
}

/**
 * Weightings as `weightingScale` wants them.
 *
 * @param {Model} model
 * @param {Values} values
 * @param {Values|number|null} reference What to subtract, if differences are shown: one number, or one a value.
 * @returns {Values} The values themselves where nothing changes.
 */
export function scaledWeighting(model, values, reference) {
  if (reference !== null) {
    const at = typeof reference === 'number' ? () => reference : (/** @type {number} */ i) => reference[i];
    return Float64Array.from(values, (value, i) => value - at(i));
  }
  return model.scale.weighting === 'log' ? logarithmic(values) : values;
}

/**
 * @param {Values} values
 * @returns {Float64Array} 0 for what is at most 10^FLOOR, up to −FLOOR for 1; NaN stays.
 */
export function logarithmic(values) {
  const floor = 10 ** FLOOR;
  return Float64Array.from(values, (value) => (value <= floor ? 0 : Math.log10(value) - FLOOR));
}

/**
 * @param {number} limit
 * @param {Model} model
 * @returns {Scale} For signed values, with zero in the middle.
 */
export function signedScale(limit, {theme}) {
  const half = Number((limit / 2).toPrecision(2));
  return {low: -limit, high: limit, map: DIVERGING[theme.shade], ticks: [-limit, -half, 0, half, limit]};
}

/**
 * @param {Model} model
 * @returns {Scale} For bits and probabilities.
 */
export function bitScale({theme}) {
  return {low: 0, high: 1, map: INK[theme.shade], ticks: [0, 0.5, 1]};
}
