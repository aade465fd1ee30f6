// Memory is not sent. It follows exactly from M_0 and from each step's write weightings, erase and add vectors.

/** @typedef {Float32Array|Float64Array} Numbers */

/**
 * What the write heads do in one step: `weightings[h]` (location), `erases[h]` (word), `adds[h]` (word).
 * @typedef {{weightings: Numbers[], erases: Numbers[], adds: Numbers[]}} Writes
 */

/** A jump replays the writes of so many cells at most: about 2 ms. */
const JUMP_CELLS = 1 << 19;

/** All memories that are kept have so many bytes at most, even if jumps in a very long trace then take longer. */
const KEYFRAME_BYTES = 24 << 20;

const MAX_SPACING = 64;

/** Memories kept beside the keyframes: of four columns what was before and after a step, a pinned one, and some over. */
const RECENT_FRAMES = 12;

/**
 * Every how many steps a memory is kept, so that a jump replays fewer steps than that.
 *
 * @param {Numbers} memory (location × word)
 * @param {number} steps T
 */
export function keyframeSpacing(memory, steps) {
  const quick = Math.min(MAX_SPACING, Math.floor(JUMP_CELLS / memory.length));
  return Math.max(1, quick, Math.ceil((steps * memory.byteLength) / KEYFRAME_BYTES));
}

/**
 * memory(i, j) ← memory(i, j) · (1 − w(i) e(j)), the erase of eq. 7, in place; every operation is rounded to the memory's
 * dtype. JavaScript computes in float64, so float32 has a loop of its own: a rounding that is handed over is called for
 * each number, and that costs twenty times as much.
 *
 * @param {Numbers} memory (location × word)
 * @param {Numbers} weighting (location)
 * @param {Numbers} erase (word)
 */
export function eraseInPlace(memory, weighting, erase) {
  if (memory instanceof Float32Array) eraseSingle(memory, weighting, erase);
  else eraseDouble(memory, weighting, erase);
}

/**
 * @param {Float32Array} memory Rounds what is put in.
 * @param {Numbers} weighting
 * @param {Numbers} erase
 */
function eraseSingle(memory, weighting, erase) {
  const words = erase.length;
  for (let i = 0, at = 0; i < weighting.length; i++) {
    const w = weighting[i];
    for (let j = 0; j < words; j++, at++) memory[at] *= Math.fround(1 - Math.fround(w * erase[j]));
  }
}

/**
 * @param {Float64Array} memory
 * @param {Numbers} weighting
 * @param {Numbers} erase
 */
function eraseDouble(memory, weighting, erase) {
  const words = erase.length;
  for (let i = 0, at = 0; i < weighting.length; i++) {
    const w = weighting[i];
    for (let j = 0; j < words; j++, at++) memory[at] *= 1 - w * erase[j];
  }
}

/**
 * memory(i, j) ← memory(i, j) + w(i) a(j), the add of eq. 8, in place, rounded likewise.
 *
 * @param {Numbers} memory (location × word)
 * @param {Numbers} weighting (location)
 * @param {Numbers} add (word)
 */
export function addInPlace(memory, weighting, add) {
  if (memory instanceof Float32Array) addSingle(memory, weighting, add);
  else addDouble(memory, weighting, add);
}

/**
 * @param {Float32Array} memory Rounds what is put in.
 * @param {Numbers} weighting
 * @param {Numbers} add
 */
function addSingle(memory, weighting, add) {
  const words = add.length;
  for (let i = 0, at = 0; i < weighting.length; i++) {
    const w = weighting[i];
    for (let j = 0; j < words; j++, at++) memory[at] += Math.fround(w * add[j]);
  }
}

/**
 * @param {Float64Array} memory
 * @param {Numbers} weighting
 * @param {Numbers} add
 */
function addDouble(memory, weighting, add) {
  const words = add.length;
  for (let i = 0, at = 0; i < weighting.length; i++) {
    const w = weighting[i];
    for (let j = 0; j < words; j++, at++) memory[at] += w * add[j];
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
  for (const {kind, head} of writeOperations(writes.weightings.length, order)) {
    if (kind === 'erase') eraseInPlace(memory, writes.weightings[head], writes.erases[head]);
    else addInPlace(memory, writes.weightings[head], writes.adds[head]);
  }
}

/**
 * What one step took away from memory and what it put in, each (location × word): before − erased + added = after, up to
 * rounding.
 * @typedef {Record<'before'|'erased'|'added'|'after', Numbers>} Parts
 */

/**
 * @param {Numbers} before
 * @param {Writes} writes
 * @param {string} order
 * @param {Record<'erased'|'added'|'after'|'last', Numbers>} [room] As large as memory, for the parts and for what lies between;
 *   without, they are made.
 * @returns {Parts}
 */
export function writeParts(before, writes, order, {erased, added, after, last} = {...roomFor(before), after: before.slice()}) {
  after.set(before);
  erased.fill(0);
  added.fill(0);
  for (const {kind, head} of writeOperations(writes.weightings.length, order)) {
    if (kind === 'erase') {
      last.set(after);
      eraseInPlace(after, writes.weightings[head], writes.erases[head]);
      for (let at = 0; at < after.length; at++) erased[at] += last[at] - after[at];
    } else {
      addInPlace(after, writes.weightings[head], writes.adds[head]);
      addInPlace(added, writes.weightings[head], writes.adds[head]);
    }
  }
  return {before, erased, added, after};
}

/** @param {Numbers} memory */
function roomFor(memory) {
  return {erased: memory.slice(), added: memory.slice(), last: memory.slice()};
}

/**
 * Memory after any step, rebuilt on demand and bit for bit. Arrays that it returns are shared: read only, and each stays as it
 * is while no more than eleven other steps are asked for; a new one for each step would soon be more than the trace.
 */
export class MemoryReplay {
  /** @type {Numbers} */ #initial;
  /** @type {(step: number) => Writes} */ #writesAt;
  /** @type {string} */ #order;
  /** @type {((step: number) => Numbers)|null} */ #foundAt;
  /** @type {Map<number, Numbers>} */ #keyframes = new Map();
  /** @type {Map<number, Numbers>} Those that were asked for last, in this order. */ #recent = new Map();
  /** @type {number} */ #spacing;
  /** @type {ReturnType<typeof roomFor>|null} */ #room = null;
  /** @type {{step: number, parts: Parts}|null} While both memories in them are kept. */ #parts = null;

  /**
   * @param {Numbers} initial M_0 (location × word)
   * @param {(step: number) => Writes} writesAt
   * @param {string} order
   * @param {number} steps T
   * @param {((step: number) => Numbers)|null} foundAt Memory as each step found it, where interventions changed it.
   */
  constructor(initial, writesAt, order, steps, foundAt = null) {
    writeOperations(0, order);
    this.#spacing = keyframeSpacing(initial, steps);
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
    const known = this.#lately(step) ?? this.#keyframes.get(step);
    if (known) return known;
    const from = this.#foundAt ? step - 1 : this.#nearestBefore(step);
    const start = this.#recent.get(from) ?? this.#keyframes.get(from) ?? this.#initial;
    const memory = this.#freed();
    memory.set(start);
    for (let next = from + 1; next <= step; next++) this.advance(memory, next);
    this.#recent.set(step, memory);
    return memory;
  }

  /**
   * @param {Numbers} memory (location × word), as the step before left it; in place it becomes what this step leaves.
   * @param {number} step
   */
  advance(memory, step) {
    if (this.#foundAt) memory.set(this.#foundAt(step));
    writeInPlace(memory, this.#writesAt(step), this.#order);
    this.keep(step, memory);
  }

  /**
   * Keep the memory after a step, if it is one of those that jumps start from. Whoever knows it while a trace arrives says
   * so, and the first jump to the end need not replay everything.
   *
   * @param {number} step
   * @param {Numbers} memory (location × word); it is copied.
   */
  keep(step, memory) {
    if (this.#wants(step)) this.#keyframes.set(step, memory.slice());
  }

  /**
   * The same without a copy.
   *
   * @param {number} step
   * @param {Numbers} memory (location × word); nobody changes it any more.
   */
  adopt(step, memory) {
    if (this.#wants(step)) this.#keyframes.set(step, memory);
  }

  /** @param {number} step */
  #wants(step) {
    return (step + 1) % this.#spacing === 0 && !this.#foundAt && !this.#keyframes.has(step);
  }

  /** @returns {[number, Numbers][]} What has been kept, in the order of the steps; it is not kept any more. */
  takeKept() {
    const kept = [...this.#keyframes];
    this.#keyframes.clear();
    return kept;
  }

  /**
   * @param {number} step
   * @returns {Parts} What was erased and added stands there until the parts of another step are asked for.
   */
  parts(step) {
    if (this.#parts?.step !== step) this.#parts = {step, parts: this.#partsOf(step)};
    for (const shown of [step - 1, step]) this.#lately(shown);
    return this.#parts.parts;
  }

  /** @param {number} step */
  #partsOf(step) {
    const before = this.#foundAt ? this.#foundAt(step) : this.after(step - 1);
    const after = this.#recent.get(step) ?? this.#freed();
    this.#room ??= roomFor(before);
    const parts = writeParts(before, this.#writesAt(step), this.#order, {...this.#room, after});
    this.#recent.set(step, after);
    return parts;
  }

  /** @param {number} step */
  #nearestBefore(step) {
    let at = step;
    while (at >= 0 && !this.#recent.has(at) && !this.#keyframes.has(at)) at -= 1;
    return at;
  }

  /**
   * @param {number} step
   * @returns {Numbers|undefined} The memory after it, if it is kept beside the keyframes; it is the last to go then.
   */
  #lately(step) {
    const memory = this.#recent.get(step);
    if (!memory) return undefined;
    this.#recent.delete(step);
    this.#recent.set(step, memory);
    return memory;
  }

  /** @returns {Numbers} An array for a memory: a new one, until there are so many that the one asked for the longest ago goes. */
  #freed() {
    if (this.#recent.size < RECENT_FRAMES) return this.#initial.slice();
    const [[step, memory]] = this.#recent;
    this.#recent.delete(step);
    if (this.#parts && (step === this.#parts.step || step === this.#parts.step - 1)) this.#parts = null;
    return memory;
  }
}
