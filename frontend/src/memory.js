// Memory is not sent. It follows exactly from M_0 and from each step's write weightings, erase and add vectors.

/** @typedef {Float32Array|Float64Array} Numbers */

/**
 * What the write heads do in one step: `weightings[h]` (location), `erases[h]` (word), `adds[h]` (word).
 * @typedef {{weightings: Numbers[], erases: Numbers[], adds: Numbers[]}} Writes
 */

/** Every 16th memory is kept, so that a jump replays at most 15 steps. */
const KEYFRAME_EVERY = 16;

/** Recent frames kept beside the keyframes: before, after and pinned, for two neighbouring steps. */
const RECENT_FRAMES = 8;

/** @type {(value: number) => number} */
const exactly = (value) => value;

/**
 * The rounding after each operation that gives a dtype's own bits; JavaScript computes in float64.
 *
 * @param {Numbers} like
 * @returns {(value: number) => number}
 */
export function roundingOf(like) {
  return like instanceof Float32Array ? Math.fround : exactly;
}

/**
 * memory(i, j) ← memory(i, j) · (1 − w(i) e(j)), the erase of eq. 7, in place.
 *
 * @param {Numbers} memory (location × word)
 * @param {Numbers} weighting (location)
 * @param {Numbers} erase (word)
 * @param {(value: number) => number} round
 */
export function eraseInPlace(memory, weighting, erase, round) {
  const words = erase.length;
  for (let i = 0, at = 0; i < weighting.length; i++) {
    const w = weighting[i];
    for (let j = 0; j < words; j++, at++) memory[at] = round(memory[at] * round(1 - round(w * erase[j])));
  }
}

/**
 * memory(i, j) ← memory(i, j) + w(i) a(j), the add of eq. 8, in place.
 *
 * @param {Numbers} memory (location × word)
 * @param {Numbers} weighting (location)
 * @param {Numbers} add (word)
 * @param {(value: number) => number} round
 */
export function addInPlace(memory, weighting, add, round) {
  const words = add.length;
  for (let i = 0, at = 0; i < weighting.length; i++) {
    const w = weighting[i];
    for (let j = 0; j < words; j++, at++) memory[at] = round(memory[at] + round(w * add[j]));
  }
}

/**
 * The single operations of one step, in the order in which the machine does them.
 *
 * @param {number} heads Number of write heads.
 * @param {string} order 'erases_then_adds' or 'one_by_one'.
 * @returns {{kind: 'erase'|'add', head: number}[]}
 */
export function writeOperations(heads, order) {
  const erase = (/** @type {number} */ head) => ({kind: /** @type {const} */ ('erase'), head});
  const add = (/** @type {number} */ head) => ({kind: /** @type {const} */ ('add'), head});
  const every = Array.from({length: heads}, (_, head) => head);
  if (order === 'one_by_one') return every.flatMap((head) => [erase(head), add(head)]);
  if (order === 'erases_then_adds') return [...every.map(erase), ...every.map(add)];
  throw new RangeError(`write_order is '${order}'; known are 'erases_then_adds' and 'one_by_one'`);
}

/**
 * Applies one step's writes to `memory` in place.
 *
 * @param {Numbers} memory (location × word)
 * @param {Writes} writes
 * @param {string} order
 */
export function writeInPlace(memory, writes, order) {
  const round = roundingOf(memory);
  for (const {kind, head} of writeOperations(writes.weightings.length, order)) {
    if (kind === 'erase') eraseInPlace(memory, writes.weightings[head], writes.erases[head], round);
    else addInPlace(memory, writes.weightings[head], writes.adds[head], round);
  }
}

/**
 * What one step took away from memory and what it put in, as (location × word) arrays:
 * before − erased + added = after, up to rounding.
 *
 * @param {Numbers} before
 * @param {Writes} writes
 * @param {string} order
 * @returns {{before: Numbers, erased: Numbers, added: Numbers, after: Numbers}}
 */
export function writeParts(before, writes, order) {
  const round = roundingOf(before);
  const after = before.slice();
  const erased = before.slice().fill(0);
  const added = before.slice().fill(0);
  for (const {kind, head} of writeOperations(writes.weightings.length, order)) {
    const last = after.slice();
    if (kind === 'erase') {
      eraseInPlace(after, writes.weightings[head], writes.erases[head], round);
      for (let at = 0; at < after.length; at++) erased[at] += last[at] - after[at];
    } else {
      addInPlace(after, writes.weightings[head], writes.adds[head], round);
      addInPlace(added, writes.weightings[head], writes.adds[head], round);
    }
  }
  return {before, erased, added, after};
}

/** Memory after any step, rebuilt on demand and bit for bit. Arrays that it returns are shared: read only. */
export class MemoryReplay {
  /** @type {Numbers} */ #initial;
  /** @type {(step: number) => Writes} */ #writesAt;
  /** @type {string} */ #order;
  /** @type {((step: number) => Numbers)|null} */ #foundAt;
  /** @type {Map<number, Numbers>} */ #keyframes = new Map();
  /** @type {Map<number, Numbers>} */ #recent = new Map();

  /**
   * @param {Numbers} initial M_0 (location × word)
   * @param {(step: number) => Writes} writesAt
   * @param {string} order
   * @param {((step: number) => Numbers)|null} foundAt Memory as each step found it, where interventions changed it.
   */
  constructor(initial, writesAt, order, foundAt = null) {
    writeOperations(0, order);
    this.#initial = initial;
    this.#writesAt = writesAt;
    this.#order = order;
    this.#foundAt = foundAt;
  }

  /**
   * Memory after `step`; step −1 gives M_0.
   *
   * @param {number} step
   * @returns {Numbers} (location × word)
   */
  after(step) {
    if (step < 0) return this.#initial;
    const known = this.#recent.get(step) ?? this.#keyframes.get(step);
    if (known) return known;
    let from = this.#foundAt ? step - 1 : this.#nearestBefore(step);
    const memory = (this.#foundAt ? this.#foundAt(step) : this.#kept(from)).slice();
    while (from < step) {
      from += 1;
      writeInPlace(memory, this.#writesAt(from), this.#order);
      if ((from + 1) % KEYFRAME_EVERY === 0 && !this.#keyframes.has(from)) this.#keyframes.set(from, memory.slice());
    }
    this.#remember(step, memory);
    return memory;
  }

  /**
   * @param {number} step
   * @returns {{before: Numbers, erased: Numbers, added: Numbers, after: Numbers}} All (location × word).
   */
  parts(step) {
    return writeParts(this.#foundAt ? this.#foundAt(step) : this.after(step - 1), this.#writesAt(step), this.#order);
  }

  /** @param {number} step */
  #nearestBefore(step) {
    let at = step;
    while (at >= 0 && !this.#recent.has(at) && !this.#keyframes.has(at)) at -= 1;
    return at;
  }

  /** @param {number} step */
  #kept(step) {
    return this.#recent.get(step) ?? this.#keyframes.get(step) ?? this.#initial;
  }

  /**
   * @param {number} step
   * @param {Numbers} memory
   */
  #remember(step, memory) {
    this.#recent.set(step, memory);
    if (this.#recent.size <= RECENT_FRAMES) return;
    const [oldest] = this.#recent.keys();
    this.#recent.delete(oldest);
  }
}
