// What computed what is on screen, where that is not the compiled core.

/** @import {TraceHeader} from '../state.js' */

export const EAGER = 'computed by PyTorch, step by step';

/** What the page can know of the reason, which only the server's log tells in full. */
const MAY_BE = 'This takes ten times as long and more. On the server numba is missing (the extra "fast" brings it), the compiled core is still being loaded, or it does not know a choice of this machine.';

/**
 * @param {Pick<TraceHeader, 'core'|'dtype'>} header
 * @returns {string|null} Why the compiled core did not compute it; null if it did.
 */
export function whyEager({core, dtype}) {
  if (core === 'compiled') return null;
  return dtype === 'float64' ? 'This takes ten times as long and more: its numbers are float64, and the compiled core computes in float32.' : MAY_BE;
}
