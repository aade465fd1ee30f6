/** @import {FieldDeclaration, TraceHeader} from './state.js' */
/** @import {Columns, Filling} from './level_of_detail.js' */
/** @import {Numbers, Parts, Writes} from './memory.js' */
import {pooledColumns} from './level_of_detail.js';
import {MemoryReplay} from './memory.js';

/** A matrix with more numbers than this is only kept until the plots of a whole trace are drawn. */
const MOST_KEPT_NUMBERS = 1 << 16;

/**
 * Where a field lies. `offset` and `size` count numbers: within one step record for step fields, within the whole
 * block for episode and initial fields.
 * @typedef {{block: 'episode'|'initial'|'step', offset: number, size: number, axes: string[], shape: number[]}} Field
 */

/**
 * Fields of one block, laid out one after another.
 *
 * @param {FieldDeclaration[]} declarations
 * @param {Record<string, number>} axes
 * @param {'episode'|'initial'|'step'} block
 * @returns {{fields: Map<string, Field>, size: number}}
 */
function layOut(declarations, axes, block) {
  /** @type {Map<string, Field>} */
  const fields = new Map();
  let offset = 0;
  for (const {name, axes: names} of declarations) {
    const shape = names.map((axis) => {
      const length = axes[axis];
      if (!Number.isSafeInteger(length) || length < 0) {
        throw new RangeError(`Field '${name}' has axis '${axis}', whose length in the header is ${length}`);
      }
      return length;
    });
    const size = shape.reduce((product, length) => product * length, 1);
    fields.set(name, {block, offset, size, axes: names, shape});
    offset += size;
  }
  return {fields, size: offset};
}

/** Some steps that have arrived ahead of others: a trace whose step 0 is step `first` of this one. @typedef {{first: number, data: TraceData}} Part */

/** What has been seen of the steps of a trace that arrives: so many from the start, and these parts. */
export class Seen {
  filled = 0;
  /** @type {WeakMap<Part, number>} How many steps of each part. */ ahead = new WeakMap();
}

/**
 * One trace: its header, its episode and initial state, and the step records that have arrived. These are the first
 * `received`, and, while it streams, parts that were asked for because they lie ahead.
 */
export class TraceData {
  /** @type {Map<string, Field>} */ #fields = new Map();
  /** @type {{first: number, numbers: Numbers}[]} Whole records, those of a frame together, so that nothing is copied. */ #chunks = [];
  /** @type {Uint32Array} Which chunk each step's record lies in. */ #chunkOf;
  /** The first step whose record is still here. */
  #first = 0;
  /** @type {Numbers|null} A copy of a record whose own array was given away. */ #left = null;
  /** @type {Numbers|null} */ #episode = null;
  /** @type {Numbers|null} */ #initial = null;
  /** @type {Map<string, {rows: Numbers[], seen: Seen}>} */ #matrices = new Map();
  /** @type {MemoryReplay|null} */ #memory = null;
  /** @type {Part[]} */ #parts = [];

  /** @param {TraceHeader} header */
  constructor(header) {
    this.header = header;
    /** Whole step records that have arrived, without those ahead. */
    this.received = 0;
    const blocks = {
      episode: layOut(header.fields.episode, header.axes, 'episode'),
      initial: layOut(header.fields.initial, header.axes, 'initial'),
      step: layOut(header.fields.step, header.axes, 'step'),
    };
    for (const {fields} of Object.values(blocks)) for (const [name, field] of fields) this.#fields.set(name, field);
    /** Numbers in each block; for `step`, in one record. */
    this.sizes = {episode: blocks.episode.size, initial: blocks.initial.size, step: blocks.step.size};
    this.#chunkOf = new Uint32Array(header.steps);
  }

  /** Whether all steps have arrived. */
  get whole() {
    return this.received === this.header.steps;
  }

  /** Steps that have arrived ahead of others, those of each part counted. */
  get ahead() {
    return this.#parts.reduce((steps, {data}) => steps + data.received, 0);
  }

  /**
   * @param {number} first
   * @param {TraceData} data The steps from `first` on, as a whole trace of their own.
   */
  addPart(first, data) {
    if (!this.whole) this.#parts.push({first, data});
  }

  /**
   * @param {number} step
   * @returns {number} The step after the last of those that have arrived from this one on; itself if it has not.
   */
  arrivedFrom(step) {
    let end = step >= 0 && step < this.received ? this.received : step;
    for (let part = this.#partAt(end); part; part = this.#partAt(end)) end = part.first + part.data.received;
    return end;
  }

  /**
   * @param {number} step
   * @returns {boolean} Whether it has arrived.
   */
  holds(step) {
    return this.arrivedFrom(step) > step;
  }

  /**
   * @param {number} step
   * @returns {number} The step nearest to it that has arrived, where any has.
   */
  nearest(step) {
    const within = (/** @type {number} */ first, /** @type {number} */ end) => Math.max(first, Math.min(step, end - 1));
    const others = this.#parts.map(({first, data}) => within(first, first + data.received));
    const nearer = (/** @type {number} */ one, /** @type {number} */ other) => (Math.abs(other - step) < Math.abs(one - step) ? other : one);
    return others.reduce(nearer, within(0, this.received));
  }

  /**
   * @param {number} step That has not arrived.
   * @returns {number} The first after it that has, or T.
   */
  nextArrived(step) {
    const starts = this.#parts.filter(({first}) => first > step).map(({first}) => first);
    return Math.min(this.header.steps, ...starts);
  }

  /**
   * The steps that have arrived since, for whoever makes something of each; one that came ahead comes again later.
   *
   * @param {Seen} seen Notes them.
   * @returns {Generator<number>}
   */
  *arrivedSince(seen) {
    while (seen.filled < this.received) yield seen.filled++;
    for (const part of this.#parts) {
      for (let at = seen.ahead.get(part) ?? 0; at < part.data.received; at++) {
        seen.ahead.set(part, at + 1);
        yield part.first + at;
      }
    }
  }

  /**
   * @param {number} step
   * @returns {Part|undefined} The part in which it has arrived.
   */
  #partAt(step) {
    return this.#parts.find(({first, data}) => step >= first && step < first + data.received);
  }

  /**
   * @param {number} length
   * @returns {Numbers} Zeros of this trace's dtype.
   */
  zeros(length) {
    return this.header.dtype === 'float64' ? new Float64Array(length) : new Float32Array(length);
  }

  /** @param {Numbers} numbers The episode block. */
  setEpisode(numbers) {
    this.#episode = this.#checked('episode', numbers);
  }

  /** @param {Numbers} numbers The initial block. */
  setInitial(numbers) {
    this.#initial = this.#checked('initial', numbers);
  }

  /** @param {Numbers} numbers One or more whole step records; they are kept as they are, not copied. */
  appendSteps(numbers) {
    this.#add(numbers);
    this.#receive(numbers.length / this.sizes.step);
  }

  /**
   * @param {number} count Of the steps that come next.
   * @param {(record: Numbers, index: number) => void} fill Puts in the record of one of them, which is zeros. Those before
   *   have been received.
   */
  appendFilled(count, fill) {
    const numbers = this.zeros(count * this.sizes.step);
    this.#add(numbers);
    for (let index = 0; index < count; index++) {
      fill(numbers.subarray(index * this.sizes.step, (index + 1) * this.sizes.step), index);
      this.#receive(1);
    }
  }

  /** @param {number} steps */
  #receive(steps) {
    this.received += steps;
    if (this.whole) this.#parts = [];
  }

  /** @param {Numbers} numbers */
  #add(numbers) {
    const records = numbers.length / this.sizes.step;
    if (!Number.isInteger(records) || this.received + records > this.header.steps) {
      throw new RangeError(`${numbers.length} numbers are not whole records of ${this.sizes.step}, `
        + `with ${this.received} of ${this.header.steps} steps received`);
    }
    this.#chunkOf.fill(this.#chunks.length, this.received, this.received + records);
    this.#chunks.push({first: this.received, numbers});
  }

  /**
   * For whoever only passes a trace on.
   *
   * @returns {Numbers[]} The whole records that have been received since the last call. They are given away: of all that was
   *   received only a copy of the last record stays.
   */
  takeRecords() {
    const taken = this.#chunks.map(({numbers}) => numbers).filter((numbers) => numbers !== this.#left);
    if (taken.length === 0) return taken;
    this.#first = this.received - 1;
    this.#left = this.#record(this.#first).slice();
    this.#chunks = [{first: this.#first, numbers: this.#left}];
    this.#chunkOf[this.#first] = 0;
    return taken;
  }

  /**
   * @param {number} step
   * @returns {Numbers}
   */
  #record(step) {
    const {first, numbers} = this.#chunks[this.#chunkOf[step]];
    return numbers.subarray((step - first) * this.sizes.step, (step - first + 1) * this.sizes.step);
  }

  /**
   * @param {string} name
   * @returns {boolean}
   */
  has(name) {
    return this.#fields.has(name);
  }

  /**
   * @param {string} name
   * @returns {Field}
   */
  field(name) {
    const field = this.#fields.get(name);
    if (!field) throw new RangeError(`No field '${name}' in this trace; it has ${[...this.#fields.keys()].join(', ')}`);
    return field;
  }

  /**
   * A view of one step's numbers, without a copy. Works for step fields, and for episode fields, whose first axis is
   * the step.
   *
   * @param {string} name
   * @param {number} step
   * @param {...number} indices Along the field's next axes.
   * @returns {Numbers} What is left of the field, in C order.
   */
  at(name, step, ...indices) {
    const field = this.field(name);
    if (field.block === 'episode') {
      return view(this.#block('episode'), field.offset, field.shape, [step, ...indices], name);
    }
    if (field.block !== 'step') throw new RangeError(`Field '${name}' has no step axis`);
    if (!(step >= this.#first && step < this.received)) {
      const part = this.#partAt(step);
      if (part) return part.data.at(name, step - part.first, ...indices);
      throw new RangeError(`Step ${step} of field '${name}'; steps ${this.#first} to ${this.received - 1} are here`);
    }
    const {first, numbers} = this.#chunks[this.#chunkOf[step]];
    return view(numbers, (step - first) * this.sizes.step + field.offset, field.shape, indices, name);
  }

  /**
   * @param {string} name
   * @param {number} step
   * @param {...number} indices One for each axis after the step.
   * @returns {number}
   */
  value(name, step, ...indices) {
    return this.at(name, step, ...indices)[0];
  }

  /**
   * @param {string} name
   * @returns {Numbers} The whole initial field, in C order.
   */
  initial(name) {
    const field = this.field(name);
    return this.#block('initial').subarray(field.offset, field.offset + field.size);
  }

  /**
   * @param {string} name
   * @returns {Numbers} The whole episode field, in C order.
   */
  episode(name) {
    const field = this.field(name);
    return this.#block('episode').subarray(field.offset, field.offset + field.size);
  }

  /**
   * Rows over time, for a heatmap or a line: `rows[row][step]`, NaN for steps that have not arrived. The arrays are
   * kept and filled on later calls with the same arguments: read only.
   *
   * @param {string} name A step field or an episode field.
   * @param {...number} indices Along the axes after the step and before the last one; a scalar field has one row.
   * @returns {Numbers[]}
   */
  matrix(name, ...indices) {
    const key = `${name}/${indices.join('/')}`;
    const field = this.field(name);
    let kept = this.#matrices.get(key);
    if (!kept) {
      const axes = field.block === 'episode' ? field.shape.slice(1) : field.shape;
      const rows = axes.slice(indices.length).reduce((product, length) => product * length, 1);
      kept = {rows: Array.from({length: rows}, () => this.zeros(this.header.steps).fill(NaN)), seen: new Seen()};
      this.#matrices.set(key, kept);
    }
    for (const step of field.block === 'episode' ? this.#allSince(kept.seen) : this.arrivedSince(kept.seen)) {
      const column = this.at(name, step, ...indices);
      for (let row = 0; row < kept.rows.length; row++) kept.rows[row][step] = column[row];
    }
    return kept.rows;
  }

  /**
   * What `pooledRows` makes of such rows over time, without them: of a large trace they are its numbers a second time.
   *
   * @param {string} name A step field.
   * @param {number[]} indices Along the axes after the step and before the last one.
   * @param {Columns} columns
   * @param {Omit<Filling, 'arrivedFrom'|'gaps'>} filling
   * @returns {Numbers[]} `rows[row][column]`
   */
  pooled(name, indices, columns, filling) {
    return pooledColumns({
      rows: this.field(name).shape.at(-1) ?? 1, zeros: (length) => this.zeros(length), at: (step) => this.at(name, step, ...indices),
    }, columns, {...filling, arrivedFrom: (step) => this.arrivedFrom(step)});
  }

  /**
   * @param {Seen} seen
   * @returns {Generator<number>} All steps, once.
   */
  *#allSince(seen) {
    while (seen.filled < this.header.steps) yield seen.filled++;
  }

  /** Keep no large matrices of a trace that is whole: they hold its numbers a second time, and are made again when needed. */
  forgetMatrices() {
    if (!this.whole) return;
    for (const [key, {rows}] of this.#matrices) {
      if (rows.length * this.header.steps > MOST_KEPT_NUMBERS) this.#matrices.delete(key);
    }
  }

  /** Indices on the head axis of the write heads, in order. */
  get writeHeads() {
    return this.header.heads.flatMap((head, index) => (head.kind === 'write' ? [index] : []));
  }

  /** Indices on the head axis of the read heads, in order. */
  get readHeads() {
    return this.header.heads.flatMap((head, index) => (head.kind === 'read' ? [index] : []));
  }

  /**
   * The weighting with which a head reads or writes in a step: that of the step, or, in a machine that addresses last,
   * that of the step before.
   *
   * @param {number} step
   * @param {number} head
   * @returns {Numbers} (location)
   */
  actingWeighting(step, head) {
    return this.header.acting_weighting === 'previous' ? this.weightingBefore(step, head) : this.at('weighting', step, head);
  }

  /**
   * The weighting that a head interpolates with in a step, w(t−1) of eq. 3: its own, or, in some machines, a write
   * head takes that of the read head of its number.
   *
   * @param {number} step
   * @param {number} head
   * @returns {Numbers} (location)
   */
  previousWeighting(step, head) {
    const borrows = this.header.config.previous_weighting === 'read_head' && this.header.heads[head].kind === 'write';
    return this.weightingBefore(step, borrows ? head - this.header.axes.read_head : head);
  }

  /**
   * @param {number} step
   * @param {number} head
   * @returns {Numbers} The head's weighting after the step before.
   */
  weightingBefore(step, head) {
    const part = step > this.received ? this.#partAt(step) : undefined;
    if (part) return part.data.weightingBefore(step - part.first, head);
    if (step > 0) return this.at('weighting', step - 1, head);
    const locations = this.header.axes.location;
    return this.initial('initial_weighting').subarray(head * locations, (head + 1) * locations);
  }

  /**
   * Memory after `step` (row `step` of the trace), bit for bit what the machine had; −1 gives M_0. Shared: read only,
   * as long as no more than eleven other steps are asked for.
   *
   * @param {number} step
   * @returns {Numbers} (location × word), in C order.
   */
  memory(step) {
    const part = step < this.received ? undefined : this.#partAt(step) ?? this.#partAt(step + 1);
    if (part) return part.data.memory(step - part.first);
    return this.#replay().after(step);
  }

  /**
   * @param {Numbers} memory (location × word), as the step before left it; in place it becomes what this step leaves.
   * @param {number} step
   */
  advanceMemory(memory, step) {
    this.#replay().advance(memory, step);
  }

  /**
   * @param {number} step
   * @returns {Numbers} (location × word), as the step found it: what the step before left, but where interventions changed it.
   */
  memoryFound(step) {
    return this.has('memory_found') ? this.at('memory_found', step) : this.memory(step - 1);
  }

  /**
   * What step `step` did to memory.
   *
   * @param {number} step
   * @returns {Parts} Shared: read only, until those of another step are asked for.
   */
  memoryParts(step) {
    const part = step < this.received ? undefined : this.#partAt(step);
    if (part) return part.data.memoryParts(step - part.first);
    return this.#replay().parts(step);
  }

  /**
   * Tell the memory after a step, for jumps to start from.
   *
   * @param {number} step
   * @param {Numbers} memory (location × word); it is copied.
   */
  keepMemory(step, memory) {
    this.#replay().keep(step, memory);
  }

  /**
   * Give the memory after a step, for jumps to start from.
   *
   * @param {number} step
   * @param {Numbers} memory (location × word); nobody changes it any more.
   */
  adoptMemory(step, memory) {
    this.#replay().adopt(step, memory);
  }

  /** @returns {[number, Numbers][]} Steps and the memories after them that have been kept; they are not any more. */
  takeKeptMemories() {
    return this.#memory?.takeKept() ?? [];
  }

  #replay() {
    this.#memory ??= new MemoryReplay(
      this.initial('initial_memory'),
      (step) => this.#writes(step),
      String(this.header.config.write_order ?? 'erases_then_adds'),
      this.header.steps,
      this.#fields.has('memory_found') ? (step) => this.at('memory_found', step) : null,
    );
    return this.#memory;
  }

  /**
   * @param {number} step
   * @returns {Writes}
   */
  #writes(step) {
    const heads = this.writeHeads;
    return {
      weightings: heads.map((head) => this.actingWeighting(step, head)),
      erases: heads.map((_, index) => this.at('erase_vector', step, index)),
      adds: heads.map((_, index) => this.at('add_vector', step, index)),
    };
  }

  /**
   * @param {'episode'|'initial'} name
   * @returns {Numbers}
   */
  #block(name) {
    const block = name === 'episode' ? this.#episode : this.#initial;
    if (!block) throw new RangeError(`The ${name} block of this trace has not arrived yet`);
    return block;
  }

  /**
   * @param {'episode'|'initial'} name
   * @param {Numbers} numbers
   */
  #checked(name, numbers) {
    if (numbers.length === this.sizes[name]) return numbers;
    throw new RangeError(`The ${name} block has ${numbers.length} numbers; its fields need ${this.sizes[name]}`);
  }
}

/**
 * @param {Numbers} block
 * @param {number} start
 * @param {number[]} shape
 * @param {number[]} indices
 * @param {string} name
 * @returns {Numbers}
 */
function view(block, start, shape, indices, name) {
  let size = shape.reduce((product, length) => product * length, 1);
  let offset = start;
  for (const [axis, index] of indices.entries()) {
    if (!(index >= 0 && index < shape[axis])) {
      throw new RangeError(`Index ${index} of axis ${axis} of field '${name}', which has shape [${shape.join(', ')}]`);
    }
    size /= shape[axis];
    offset += index * size;
  }
  return block.subarray(offset, offset + size);
}
