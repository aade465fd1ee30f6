import {signed, tick} from './format.js';
import {total} from './measures.js';

/**
 * What one head does in one step, told in words.
 *
 * @param {{interpolationGate: number, shiftWeighting: ArrayLike<number>, shifts: number[], sharpening: number,
 *   blurred: number, sharpened: number, changed?: boolean}} step `blurred` and `sharpened`: entropy in bits before and after
 *   eq. 5, NaN where nothing is left to sharpen; `changed`: an edit or the addressing mode has changed a stage of the weighting, so that the others do not tell of it.
 * @returns {string} One sentence a stage.
 */
export function describeStep({interpolationGate, shiftWeighting, shifts, sharpening, blurred, sharpened, changed = false}) {
  if (changed) return 'Where it looks was changed on the way: gate, shift and sharpening alone do not tell how it got there.';
  const told = [
    !Number.isNaN(interpolationGate) && describeGate(interpolationGate),
    !Number.isNaN(shiftWeighting[0]) && describeShift(shiftWeighting, shifts),
    !Number.isNaN(sharpening * blurred) && describeSharpening(blurred, sharpened),
  ].filter(Boolean);
  return told.length > 0 ? told.join(' ') : 'How it got there was not recorded.';
}

/** How many shifts a sentence can name: each has a twentieth of the kernel at least. */
const MOST_NAMED = 20;

/**
 * @param {number[]} shifts
 * @param {number} locations
 * @returns {string} As many words as `describeStep` can tell of a machine.
 */
export function longestWords(shifts, locations) {
  const bits = Math.log2(locations);
  return describeStep({
    interpolationGate: 0.5, shiftWeighting: shifts.map((_, index) => Number(index < MOST_NAMED)), shifts,
    sharpening: 1, blurred: bits, sharpened: bits,
  });
}

/**
 * @param {number} gate
 * @returns {string}
 */
function describeGate(gate) {
  if (gate >= 0.9) return 'Looks up by content.';
  if (gate <= 0.1) return 'Starts from where it was.';
  const content = Math.round(100 * gate);
  return `Mixes ${content} % content with ${100 - content} % of where it was.`;
}

/**
 * @param {ArrayLike<number>} weighting
 * @param {number[]} shifts
 * @returns {string}
 */
function describeShift(weighting, shifts) {
  const whole = total(weighting);
  if (!(whole > 0)) return 'Is left with nothing by the shift.';
  const main = shifts.findIndex((_, index) => weighting[index] >= 0.9 * whole);
  if (main >= 0) {
    const offset = shifts[main];
    if (offset === 0) return 'Stays there.';
    const distance = Math.abs(offset);
    return `Moves ${distance} location${distance > 1 ? 's' : ''} ${offset > 0 ? 'forward' : 'back'}.`;
  }
  const used = shifts.filter((_, index) => weighting[index] >= 0.05 * whole);
  if (used.length === 0) return `Spreads over the shifts ${shiftText(shifts[0])} to ${shiftText(shifts[shifts.length - 1])}.`;
  return `Spreads over the shifts ${used.map(shiftText).join(', ')}.`;
}

/** @param {number} offset */
function shiftText(offset) {
  return signed(tick(offset));
}

/**
 * @param {number} before
 * @param {number} after
 * @returns {string}
 */
function describeSharpening(before, after) {
  const [from, to] = [before.toFixed(2), after.toFixed(2)];
  if (from === to) return before < 0.005 ? 'Is sharp already.' : `Stays as wide as it is (${from} bit).`;
  return `${after < before ? 'Sharpens' : 'Widens'} from ${from} to ${to} bit.`;
}
