import {signed, tick} from './format.js';
import {total} from './measures.js';

/**
 * What one head does in one step, told in words.
 *
 * @param {{interpolationGate: number, shiftWeighting: ArrayLike<number>, shifts: number[], sharpening: number,
 *   blurred: number, sharpened: number, changed?: boolean}} step `blurred` and `sharpened`: entropy in bits before and after
 *   eq. 5; `changed`: an edit or the addressing mode has changed a stage of the weighting, so that the others do not tell of it.
 * @returns {string} One sentence a stage.
 */
export function describeStep({interpolationGate, shiftWeighting, shifts, sharpening, blurred, sharpened, changed = false}) {
  if (changed) return 'Where it looks was changed on the way: gate, shift and sharpening alone do not tell how it got there.';
  const told = [
    !Number.isNaN(interpolationGate) && describeGate(interpolationGate),
    !Number.isNaN(shiftWeighting[0]) && describeShift(shiftWeighting, shifts),
    !Number.isNaN(sharpening * blurred) && describeSharpening(sharpening, blurred, sharpened),
  ].filter(Boolean);
  return told.length > 0 ? told.join(' ') : 'How it got there was not recorded.';
}

/**
 * @param {number} gate
 * @returns {string}
 */
function describeGate(gate) {
  if (gate >= 0.9) return 'Looks up by content.';
  if (gate <= 0.1) return 'Starts from where it was.';
  return `Mixes ${Math.round(100 * gate)} % content with ${Math.round(100 * (1 - gate))} % of where it was.`;
}

/**
 * @param {ArrayLike<number>} weighting
 * @param {number[]} shifts
 * @returns {string}
 */
function describeShift(weighting, shifts) {
  const whole = total(weighting);
  const main = shifts.findIndex((_, index) => weighting[index] >= 0.9 * whole);
  if (main >= 0) {
    const offset = shifts[main];
    if (offset === 0) return 'Stays there.';
    const distance = Math.abs(offset);
    return `Moves ${distance} location${distance > 1 ? 's' : ''} ${offset > 0 ? 'forward' : 'back'}.`;
  }
  const used = shifts.filter((_, index) => weighting[index] >= 0.05 * whole);
  const names = used.map((offset) => signed(tick(offset)));
  return `Spreads over the shifts ${names.join(', ')}.`;
}

/**
 * @param {number} sharpening
 * @param {number} before
 * @param {number} after
 * @returns {string}
 */
function describeSharpening(sharpening, before, after) {
  if (before < 0.005) return 'Is sharp already.';
  if (sharpening < 1.005) return `Stays as wide as it is (${before.toFixed(2)} bit).`;
  return `Sharpens from ${before.toFixed(2)} to ${after.toFixed(2)} bit.`;
}
