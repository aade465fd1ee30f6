// A run in words.

/** @import {RunInfo} from '../state.js' */

/**
 * @param {Pick<RunInfo, 'status'|'place'>} run
 * @returns {string} How it stands; of one that waits, for how many others.
 */
export function standing({status, place}) {
  if (status !== 'queued') return status;
  return `waits: ${place ? `${place} before it` : 'next'}`;
}
