// The trace stream, read as it arrives. server/WIRE.md describes the format.

/** @import {Failure, TraceEnd, TraceHeader} from './state.js' */
import {CodedSteps} from './coded_steps.js';
import {TraceData} from './trace_data.js';
import {WireError} from './wire_error.js';

export const KIND = Object.freeze({header: 1, episode: 2, initial: 3, steps: 4, end: 5, error: 6, codedSteps: 7});

/** A frame that never travels: the thread that decodes tells with it the memory after a step. */
export const MEMORY = 'memory';

const VERSION = 2;

/** Length and kind of a frame: two unsigned 32-bit little-endian numbers. */
const PREFIX_BYTES = 8;

/** A frame longer than this is not from our server. */
const MAX_FRAME_BYTES = 1 << 30;

/** @typedef {{kind: number|typeof MEMORY, payload: Uint8Array<ArrayBuffer>, step?: number}} Frame With `step`: a memory. */

/** Cuts chunks of bytes, split anywhere, into frames. */
export class FrameParser {
  #prefix = new Uint8Array(PREFIX_BYTES);
  #prefixFilled = 0;
  /** @type {Frame|null} */ #frame = null;
  #filled = 0;

  /** @returns {boolean} Whether the bytes so far end with a whole frame. */
  get atBoundary() {
    return this.#prefixFilled === 0 && this.#frame === null;
  }

  /**
   * @param {Uint8Array} chunk
   * @returns {Frame[]} The frames that this chunk completes.
   */
  push(chunk) {
    /** @type {Frame[]} */
    const frames = [];
    let at = 0;
    while (at < chunk.length) {
      if (!this.#frame) at += this.#takePrefix(chunk.subarray(at));
      if (!this.#frame) break;
      at += this.#takePayload(this.#frame, chunk.subarray(at));
      if (this.#filled < this.#frame.payload.length) break;
      frames.push(this.#frame);
      this.#frame = null;
    }
    return frames;
  }

  /** @param {Uint8Array} bytes */
  #takePrefix(bytes) {
    const taken = bytes.subarray(0, PREFIX_BYTES - this.#prefixFilled);
    this.#prefix.set(taken, this.#prefixFilled);
    this.#prefixFilled += taken.length;
    if (this.#prefixFilled < PREFIX_BYTES) return taken.length;
    const numbers = new DataView(this.#prefix.buffer);
    const [length, kind] = [numbers.getUint32(0, true), numbers.getUint32(4, true)];
    if (length % 4 !== 0 || length > MAX_FRAME_BYTES) {
      throw new WireError(`A frame of kind ${kind} has length ${length}; lengths are multiples of 4 up to ${MAX_FRAME_BYTES}`);
    }
    this.#frame = {kind, payload: new Uint8Array(length)};
    this.#filled = 0;
    this.#prefixFilled = 0;
    return taken.length;
  }

  /**
   * @param {Frame} frame
   * @param {Uint8Array} bytes
   */
  #takePayload(frame, bytes) {
    const taken = bytes.subarray(0, frame.payload.length - this.#filled);
    frame.payload.set(taken, this.#filled);
    this.#filled += taken.length;
    return taken.length;
  }
}

/** Puts frames together into one trace. */
export class TraceReader {
  /** @type {TraceData|null} */ data = null;
  /** @type {TraceEnd|null} */ end = null;
  /** @type {Failure|null} */ error = null;
  /** @type {CodedSteps|null} Where the header says that steps are coded. */ #coded = null;

  /** @param {Frame} frame Its payload belongs to the trace from then on. */
  accept({kind, payload, step}) {
    if (this.end || this.error) throw new WireError(`A frame of kind ${kind} follows the last one`);
    if (kind === KIND.error) this.error = /** @type {Failure} */ (json(payload));
    else if (kind === KIND.header) this.#acceptHeader(payload);
    else if (!this.data) throw new WireError(`The first frame has kind ${kind}; it must be the header, kind ${KIND.header}`);
    else if (kind === KIND.episode) this.data.setEpisode(numbers(payload, this.data));
    else if (kind === KIND.initial) this.data.setInitial(numbers(payload, this.data));
    else if (kind === KIND.steps || kind === KIND.codedSteps) this.#acceptSteps(this.data, kind, payload);
    else if (kind === MEMORY) this.data.adoptMemory(Number(step), numbers(payload, this.data));
    else if (kind === KIND.end) this.end = /** @type {TraceEnd} */ (json(payload));
    else throw new WireError(`Unknown frame kind ${kind}; known are ${Object.values(KIND).join(', ')}`);
  }

  /** Checks that the stream, now over, held a whole trace. */
  finish() {
    if (this.error) return;
    const received = this.data?.received ?? 0;
    const steps = this.data?.header.steps;
    if (!this.end || received !== steps) {
      throw new WireError(`The stream ended early, after ${received} of ${steps ?? 'unknown'} steps`, 'stream_cut');
    }
  }

  /**
   * @param {TraceData} data
   * @param {number} kind
   * @param {Uint8Array<ArrayBuffer>} payload
   */
  #acceptSteps(data, kind, payload) {
    if ((kind === KIND.codedSteps) !== (this.#coded !== null)) {
      throw new WireError(`A frame of steps has kind ${kind}; the header's coding asks for the other one`);
    }
    if (this.#coded) this.#coded.read(payload);
    else data.appendSteps(numbers(payload, data));
  }

  /** @param {Uint8Array<ArrayBuffer>} payload */
  #acceptHeader(payload) {
    if (this.data) throw new WireError('A second header in one stream');
    const header = /** @type {TraceHeader} */ (json(payload));
    if (header.format !== 'ntm-scope-trace' || header.version !== VERSION) {
      throw new WireError(`The stream has format '${header.format}' version ${header.version}; this page reads `
        + `'ntm-scope-trace' version ${VERSION}`);
    }
    this.data = new TraceData(header);
    if (Object.keys(header.coding ?? {}).length > 0) this.#coded = new CodedSteps(this.data);
  }
}

/**
 * Cuts a trace stream into frames.
 *
 * @param {ReadableStream<Uint8Array>} stream
 * @returns {AsyncGenerator<Frame[]>} Those that a chunk completed, if it did any.
 */
export async function* framesOf(stream) {
  const parser = new FrameParser();
  const source = stream.getReader();
  try {
    for (let {done, value} = await source.read(); !done; {done, value} = await source.read()) {
      const frames = parser.push(/** @type {Uint8Array} */ (value));
      if (frames.length > 0) yield frames;
    }
  } finally {
    source.cancel().catch(() => {});
  }
  if (!parser.atBoundary) throw new WireError('The stream ended inside a frame', 'stream_cut');
}

/**
 * Reads a whole trace.
 *
 * @param {AsyncIterable<Frame[]>} frames
 * @param {(reader: TraceReader) => void} onProgress After each batch of frames.
 * @returns {Promise<TraceReader>} With `end`, or with the server's `error`.
 */
export async function readTrace(frames, onProgress) {
  const reader = new TraceReader();
  for await (const batch of frames) {
    batch.forEach((frame) => reader.accept(frame));
    onProgress(reader);
  }
  reader.finish();
  return reader;
}

/**
 * @param {unknown} value
 * @returns {Uint8Array<ArrayBuffer>} It as JSON in the form in which frames hold it.
 */
export function jsonPayload(value) {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  const payload = new Uint8Array(4 * Math.ceil(bytes.length / 4)).fill(0x20);
  payload.set(bytes);
  return payload;
}

/**
 * @param {Uint8Array<ArrayBuffer>} payload UTF-8, padded with spaces.
 * @returns {unknown}
 */
function json(payload) {
  return JSON.parse(new TextDecoder('utf-8', {fatal: true}).decode(payload));
}

/**
 * @param {Uint8Array<ArrayBuffer>} payload Little-endian numbers of the trace's dtype.
 * @param {TraceData} data
 */
function numbers(payload, data) {
  const bytes = data.header.dtype === 'float64' ? 8 : 4;
  if (payload.length % bytes !== 0) {
    throw new WireError(`A payload of ${payload.length} bytes is not whole numbers of dtype ${data.header.dtype}`);
  }
  return bytes === 8 ? new Float64Array(payload.buffer) : new Float32Array(payload.buffer);
}
