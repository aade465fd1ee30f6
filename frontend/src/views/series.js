// Numbers over the whole trace that views derive from it, computed once a step as records arrive.

/** @import {Numbers} from '../memory.js' */
/** @import {TraceData} from '../trace_data.js' */
import {circularMean, entropyBits, expectedShift, peak} from './measures.js';

/** @typedef {'key_strength'|'interpolation_gate'|'sharpening'|'entropy'|'expected_shift'|'position'} TrackName */

/** @type {Record<TrackName, (data: TraceData, step: number, head: number) => number>} */
const TRACKS = {
  key_strength: (data, step, head) => data.value('key_strength', step, head),
  interpolation_gate: (data, step, head) => data.value('interpolation_gate', step, head),
  sharpening: (data, step, head) => data.value('sharpening', step, head),
  entropy: (data, step, head) => entropyBits(data.at('weighting', step, head)),
  expected_shift: (data, step, head) => expectedShift(data.at('shift_weighting', step, head), data.header.shifts),
  position: (data, step, head) => circularMean(data.at('weighting', step, head)),
};

/** Tracks and largest values of one trace. */
export class Series {
  /** @type {TraceData} */ #data;
  /** @type {Map<string, {values: Float64Array, filled: number}>} */ #tracks = new Map();
  /** @type {Map<string, {largest: number, seen: number}>} */ #peaks = new Map();
  /** @type {Numbers|null} The one whose peak was found last. */ #memory = null;

  /** @param {TraceData} data */
  constructor(data) {
    this.#data = data;
  }

  /**
   * @param {TrackName} name
   * @param {number} head
   * @returns {Float64Array} One value a step, NaN for steps that have not arrived. Shared: read only.
   */
  track(name, head) {
    const key = `${name}/${head}`;
    let kept = this.#tracks.get(key);
    if (!kept) {
      kept = {values: new Float64Array(this.#data.header.steps).fill(NaN), filled: 0};
      this.#tracks.set(key, kept);
    }
    for (; kept.filled < this.#data.received; kept.filled++) {
      kept.values[kept.filled] = TRACKS[name](this.#data, kept.filled, head);
    }
    return kept.values;
  }

  /**
   * @param {'key'|'add_vector'|'read_vector'} name
   * @returns {number} The largest absolute value of any head in the steps that have arrived.
   */
  peak(name) {
    return this.#peak(name, (step) => peak(this.#data.at(name, step)), Infinity);
  }

  /**
   * The largest absolute value in any memory from M_0 on. It rebuilds every memory, so it stops after a while and goes
   * on at the next call.
   *
   * @param {number} milliseconds
   * @returns {number} Of the memories looked at so far.
   */
  memoryPeak(milliseconds) {
    const deadline = performance.now() + milliseconds;
    return this.#peak('memory', (count) => peak(this.#memoryAfter(count)), deadline, this.#data.received + 1);
  }

  /**
   * In one array for all: a new one a step would be half a gigabyte to clear away for a large memory and a long trace.
   *
   * @param {number} count Of steps: one more than at the last call.
   * @returns {Numbers} Memory after them.
   */
  #memoryAfter(count) {
    if (!this.#memory) this.#memory = this.#data.memory(-1).slice();
    else this.#data.advanceMemory(this.#memory, count - 1);
    return this.#memory;
  }

  /** @returns {boolean} Whether every memory so far has been looked at. */
  get memoryPeakKnown() {
    return (this.#peaks.get('memory')?.seen ?? 0) > this.#data.received;
  }

  /**
   * @param {string} key
   * @param {(step: number) => number} at
   * @param {number} deadline
   * @param {number} [count]
   * @returns {number}
   */
  #peak(key, at, deadline, count = this.#data.received) {
    const kept = this.#peaks.get(key) ?? {largest: 0, seen: 0};
    this.#peaks.set(key, kept);
    for (; kept.seen < count; kept.seen++) {
      if (performance.now() > deadline) break;
      kept.largest = Math.max(kept.largest, at(kept.seen));
    }
    return kept.largest;
  }
}
