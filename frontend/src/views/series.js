// Numbers over the whole trace that views derive from it, computed once a step as records arrive.

/** @import {Numbers} from '../memory.js' */
/** @import {TraceData} from '../trace_data.js' */
import {Seen} from '../trace_data.js';
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
  /** @type {Map<string, {values: Float64Array, seen: Seen}>} */ #tracks = new Map();
  /** @type {Map<string, {largest: number, seen: Seen}>} */ #peaks = new Map();
  /** @type {Map<string, {aboveZero: number, largest: number, seen: Seen}>} */ #bounds = new Map();
  /** @type {Numbers|null} Memory after step `#rebuilt`. */ #memory = null;
  #rebuilt = -1;

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
      kept = {values: new Float64Array(this.#data.header.steps).fill(NaN), seen: new Seen()};
      this.#tracks.set(key, kept);
    }
    for (const step of this.#data.arrivedSince(kept.seen)) kept.values[step] = TRACKS[name](this.#data, step, head);
    return kept.values;
  }

  /**
   * @param {TrackName} name
   * @returns {{aboveZero: number, largest: number}} Of all heads in the steps that have arrived: the least value above zero, or
   *   infinity, and the largest, or minus infinity; what is not finite does not count.
   */
  bounds(name) {
    const kept = this.#bounds.get(name) ?? {aboveZero: Infinity, largest: -Infinity, seen: new Seen()};
    this.#bounds.set(name, kept);
    const tracks = this.#data.header.heads.map((_, head) => this.track(name, head));
    for (const step of this.#data.arrivedSince(kept.seen)) {
      for (const {[step]: value} of tracks) {
        if (!Number.isFinite(value)) continue;
        if (value > 0 && value < kept.aboveZero) kept.aboveZero = value;
        if (value > kept.largest) kept.largest = value;
      }
    }
    return kept;
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
    return this.#peak('memory', (step) => peak(this.#memoryAfter(step)), deadline, () => peak(this.#data.memory(-1)));
  }

  /**
   * In one array for all that come one after the other: a new one a step would be half a gigabyte to clear away for a large
   * memory and a long trace.
   *
   * @param {number} step
   * @returns {Numbers}
   */
  #memoryAfter(step) {
    if (step !== this.#rebuilt + 1 || step >= this.#data.received) return this.#data.memory(step);
    this.#memory ??= this.#data.memory(-1).slice();
    this.#data.advanceMemory(this.#memory, step);
    this.#rebuilt = step;
    return this.#memory;
  }

  /** @returns {boolean} Whether every memory so far has been looked at. */
  get memoryPeakKnown() {
    return this.#peaks.get('memory')?.seen.filled === this.#data.received;
  }

  /**
   * @param {string} key
   * @param {(step: number) => number} at
   * @param {number} deadline
   * @param {() => number} [before] Of what is there before step 1.
   * @returns {number}
   */
  #peak(key, at, deadline, before = () => 0) {
    const kept = this.#peaks.get(key) ?? {largest: before(), seen: new Seen()};
    this.#peaks.set(key, kept);
    for (const step of this.#data.arrivedSince(kept.seen)) {
      kept.largest = Math.max(kept.largest, at(step));
      if (performance.now() > deadline) break;
    }
    return kept.largest;
  }
}
