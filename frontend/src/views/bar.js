// How long a bar is beside a number, and which number a person means who drags it so long.

/**
 * @typedef {object} Bar
 * @property {number} least Where it is empty.
 * @property {number} most Where it is full; more can be typed.
 * @property {string} words What a person should know of its ends.
 * @property {(value: number) => number} part Of the full bar, in [0, 1].
 * @property {(part: number) => number} value A number of few digits.
 */

/** @type {Bar} For what is a part of 1. */
export const PART_OF_1 = Object.freeze({
  least: 0,
  most: 1,
  words: 'the bar is 0 … 1',
  part: (value) => within(value),
  value: (part) => Math.round(100 * within(part)) / 100,
});

/**
 * @param {number} least
 * @param {number} most
 * @returns {Bar} That shows small numbers as well as large ones: one more than how far a number lies above the least, by
 *   its logarithm.
 */
export function logarithmicBar(least, most) {
  const span = Math.log1p(most - least);
  return {
    least,
    most,
    words: `the bar is ${least} … ${most}, logarithmic`,
    part: (value) => within(Math.log1p(Math.max(0, value - least)) / span),
    value: (part) => Number((least + Math.expm1(within(part) * span)).toPrecision(3)),
  };
}

/** @param {number} part */
function within(part) {
  return Math.min(1, Math.max(0, part)) || 0;
}
