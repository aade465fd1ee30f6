// What every head of a trace did at every step so far, found once, and counted.

/** @import {TraceData} from '../trace_data.js' */
/** @import {Operation} from '../views/operations.js' */
import {CONTENT_JUMP, HOLD, MIXED, operationAt} from '../views/operations.js';

/** @type {WeakMap<TraceData, Operation[][]>} Of each head, one a step. */
const tracks = new WeakMap();

/**
 * @param {TraceData} data
 * @param {number} head
 * @returns {readonly Operation[]} One for every step that has arrived. Shared: read only.
 */
export function operationTrack(data, head) {
  const track = tracks.get(data) ?? data.header.heads.map(() => []);
  tracks.set(data, track);
  const found = track[head];
  for (let step = found.length; step < data.received; step++) found.push(operationAt(data, step, head));
  return found;
}

/**
 * @param {string} operation
 * @returns {string} The look of an operation: name of a colour in styles/compare.css.
 */
export function lookOf(operation) {
  if (operation === CONTENT_JUMP) return 'content';
  if (operation === HOLD) return 'hold';
  if (operation === MIXED) return 'mixed';
  if (!operation.startsWith('shift')) return 'unknown';
  if (operation.includes('−')) return 'back';
  return operation.includes('+') ? 'forward' : 'stay';
}

/**
 * Steps in a row of one look.
 *
 * @param {readonly Operation[]} track
 * @returns {{look: string, start: number, length: number}[]}
 */
export function runsOf(track) {
  /** @type {{look: string, start: number, length: number}[]} */
  const runs = [];
  track.forEach(({operation}, step) => {
    const look = lookOf(operation);
    const last = runs.at(-1);
    if (last?.look === look) last.length += 1;
    else runs.push({look, start: step, length: 1});
  });
  return runs;
}

/**
 * @param {Operation} operation
 * @returns {string} The shares of a weighting that came through content and through location; none of a gate beyond 0 and 1.
 */
export function sharesText({contentShare, locationShare}) {
  if (!(contentShare >= 0 && locationShare >= 0)) return '–';
  const content = Math.round(100 * contentShare);
  return `${content} % / ${100 - content} %`;
}
