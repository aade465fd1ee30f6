// What computed what is on screen, where that is not the compiled core.

/** @import {Detail, Loading, TraceHeader} from '../state.js' */

export const EAGER = 'computed by PyTorch, step by step';

const SLOW = 'This takes ten times as long and more.';

/**
 * @param {Pick<TraceHeader, 'core'|'checkpoint'>} header
 * @param {Loading<Detail>|null} detail What the server says of the chosen checkpoint, where that is known.
 * @returns {string|null} Why the compiled core did not compute it; null if it did.
 */
export function whyEager({core, checkpoint}, detail) {
  if (core === 'compiled') return null;
  if (detail?.status !== 'ready' || detail.value.id !== checkpoint) return SLOW;
  return `${SLOW} ${detail.value.why_eager ?? 'The compiled core was still being loaded when this began.'}`;
}
