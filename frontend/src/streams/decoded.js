/** @import {Frame} from '../wire.js' */
import {jsonPayload, KIND, MEMORY, TraceReader} from '../wire.js';

/**
 * The same trace in frames that cost no time to read: whole step records in place of coded ones, and behind them the
 * memories from which a reader will start its jumps.
 *
 * @param {AsyncIterable<Frame[]>} batches
 * @returns {AsyncGenerator<Frame[]>} WireError if they are not a trace's.
 */
export async function* decoded(batches) {
  const reader = new TraceReader();
  for await (const batch of batches) yield batch.flatMap((frame) => plain(reader, frame));
}

/**
 * @param {TraceReader} reader Has read the frames before; it takes this one.
 * @param {Frame} frame
 * @returns {Frame[]} In its place.
 */
function plain(reader, {kind, payload}) {
  reader.accept({kind, payload});
  const {data} = reader;
  if (kind === KIND.header && data) return [{kind, payload: jsonPayload({...data.header, coding: {}})}];
  // What the reader goes on with is given away as a copy.
  if (kind === KIND.episode || kind === KIND.initial) return [{kind, payload: payload.slice()}];
  if (!data || (kind !== KIND.codedSteps && kind !== KIND.steps)) return [{kind, payload}];
  return [
    ...data.takeRecords().map((records) => ({kind: KIND.steps, payload: bytesOf(records)})),
    ...data.takeKeptMemories().map(([step, memory]) => ({kind: /** @type {typeof MEMORY} */ (MEMORY), step, payload: bytesOf(memory)})),
  ];
}

/**
 * @param {import('../memory.js').Numbers} numbers
 * @returns {Uint8Array<ArrayBuffer>} Their own bytes.
 */
function bytesOf({buffer, byteOffset, byteLength}) {
  return new Uint8Array(/** @type {ArrayBuffer} */ (buffer), byteOffset, byteLength);
}
