// Step records as they travel: each weighting as what must be added to its prediction. server/WIRE.md, "Coded steps".

/** @import {Numbers} from './memory.js' */
/** @import {TraceData} from './trace_data.js' */
import {writeInPlace} from './memory.js';
import {fillContent, fillGated, fillNorms, fillSharpened, fillShifted} from './prediction.js';
import {WireError} from './wire_error.js';

const RULES = /** @type {Record<string, readonly string[]>} */ ({
  content_weighting: ['cosine'],
  gated_weighting: ['gate'],
  shifted_weighting: ['circular', 'zero_padded'],
  weighting: ['sharpening'],
});

/** What predictions are made from, with the axes that it must have. */
const NEEDED = Object.entries({
  key: 'head,word', key_strength: 'head', interpolation_gate: 'head', shift_weighting: 'head,shift', sharpening: 'head',
  content_weighting: 'head,location', gated_weighting: 'head,location', shifted_weighting: 'head,location',
  weighting: 'head,location', erase_vector: 'write_head,word', add_vector: 'write_head,word',
  initial_memory: 'location,word', initial_weighting: 'head,location',
});

const MAX_WIDTH = 4;

/** Where one coded field lies in a record, and its place among the coded fields. */
/** @typedef {{name: string, rule: string, offset: number, index: number}} Coded */

/** A frame cut into its parts. */
/** @typedef {{count: number, numbers: Float32Array, widths: Uint8Array, corrections: Uint8Array}} Parts */

/** Reads the frames of coded steps of one trace into it. */
export class CodedSteps {
  /** @type {TraceData} */ #data;
  /** @type {Coded[]} */ #coded;
  /** @type {[number, number][]} Parts of a record that are sent as they are: first number, and the one after the last. */ #plain;
  /** @type {number} */ #plainSize;
  /** @type {number} */ #locations;
  /** @type {number} */ #heads;
  /** @type {number[][]} Heads that come before the step's writes, and those that come after. */ #order;
  /** @type {Float32Array|null} After the last step that was read. */ #memory = null;
  /** @type {Float64Array} */ #norms;
  /** @type {Float64Array} */ #powers;
  /** @type {Float32Array} */ #expected;
  /** @type {Int32Array} */ #expectedBits;
  /** @type {number[]} Where each row's corrections begin. */ #starts = [];

  /** @param {TraceData} data Its header says how steps are coded; WireError if it says what this page cannot read. */
  constructor(data) {
    const {header, sizes} = data;
    check(data);
    this.#data = data;
    const names = header.fields.step.map(({name}) => name);
    this.#coded = names.filter((name) => name in header.coding)
      .map((name, index) => ({name, rule: header.coding[name], offset: data.field(name).offset, index}));
    this.#plain = names.filter((name) => !(name in header.coding))
      .map((name) => [data.field(name).offset, data.field(name).offset + data.field(name).size]);
    this.#locations = header.axes.location;
    this.#heads = header.axes.head;
    this.#plainSize = sizes.step - this.#coded.length * this.#heads * this.#locations;
    const all = header.seen_memory.map((seen, head) => ({seen, head}));
    this.#order = [all.filter(({seen}) => seen !== 'left'), all.filter(({seen}) => seen === 'left')]
      .map((heads) => heads.map(({head}) => head));
    this.#norms = new Float64Array(this.#locations);
    this.#powers = new Float64Array(this.#locations);
    this.#expected = new Float32Array(this.#locations);
    this.#expectedBits = new Int32Array(this.#expected.buffer);
  }

  /** @param {Uint8Array<ArrayBuffer>} payload Its steps follow those that were read before. */
  read(payload) {
    const parts = this.#cut(payload);
    this.#data.appendFilled(parts.count, (record, step) => {
      this.#fill(/** @type {Float32Array} */ (record), parts, step);
      if (this.#memory) this.#data.keepMemory(this.#data.received, this.#memory);
    });
  }

  /**
   * @param {Uint8Array<ArrayBuffer>} payload
   * @returns {Parts}
   */
  #cut(payload) {
    const count = payload.length < 4 ? 0 : new DataView(payload.buffer).getUint32(0, true);
    const most = this.#data.header.steps - this.#data.received;
    if (!(count >= 1 && count <= most)) throw new WireError(`A frame holds ${count} coded steps; it must hold 1 to ${most}`);
    const widthsAt = 4 + 4 * count * this.#plainSize;
    const correctionsAt = widthsAt + count * this.#coded.length * this.#heads;
    const widths = payload.subarray(widthsAt, correctionsAt);
    if (payload.length < correctionsAt || widths.some((width) => width > MAX_WIDTH)) {
      throw new WireError(`A frame of ${count} coded steps is too short, or has a width above ${MAX_WIDTH}`);
    }
    let end = 0;
    this.#starts = Array.from(widths, (width) => (end += width * this.#locations) - width * this.#locations);
    if (payload.length !== 4 * Math.ceil((correctionsAt + end) / 4)) {
      throw new WireError(`A frame of ${count} coded steps has ${payload.length} bytes; its widths ask for ${correctionsAt + end}`);
    }
    const numbers = new Float32Array(payload.buffer, 4, count * this.#plainSize);
    return {count, numbers, widths, corrections: payload.subarray(correctionsAt)};
  }

  /**
   * @param {Float32Array} record
   * @param {Parts} parts
   * @param {number} step Within the frame.
   */
  #fill(record, parts, step) {
    let at = step * this.#plainSize;
    for (const [start, end] of this.#plain) {
      record.set(parts.numbers.subarray(at, at + end - start), start);
      at += end - start;
    }
    const remembers = this.#data.header.seen_memory.some((seen) => seen !== null);
    if (remembers) this.#find(record);
    this.#fillHeads(record, parts, step, this.#order[0]);
    if (remembers) this.#write(record);
    this.#fillHeads(record, parts, step, this.#order[1]);
  }

  /**
   * @param {Float32Array} record
   * @param {Parts} parts
   * @param {number} step
   * @param {number[]} heads
   */
  #fillHeads(record, parts, step, heads) {
    if (heads.length > 0 && this.#memory) fillNorms(this.#norms, this.#memory);
    for (const head of heads) {
      for (const field of this.#coded) {
        this.#predict(record, field, head);
        const start = field.offset + head * this.#locations;
        const row = (step * this.#coded.length + field.index) * this.#heads + head;
        this.#correct(new Int32Array(record.buffer, record.byteOffset + 4 * start, this.#locations), parts, row);
      }
    }
  }

  /**
   * Puts what is expected of one row into `#expected`.
   *
   * @param {Float32Array} record
   * @param {Coded} field
   * @param {number} head
   */
  #predict(record, {name, rule}, head) {
    const found = this.#expected;
    const {header} = this.#data;
    const floored = header.core === 'compiled';
    const given = (/** @type {string} */ field) => this.#of(record, field, head);
    if (name === 'content_weighting') {
      if (header.seen_memory[head] === null) found.fill(0);
      else {
        fillContent(found, {memory: /** @type {Float32Array} */ (this.#memory), norms: this.#norms, key: given('key'),
          strength: given('key_strength')[0], epsilon: Number(header.config.similarity_epsilon), powers: this.#powers, floored});
      }
    } else if (name === 'gated_weighting') {
      const previous = this.#data.previousWeighting(this.#data.received, head);
      fillGated(found, {content: given('content_weighting'), previous, gate: given('interpolation_gate')[0]});
    } else if (name === 'shifted_weighting') {
      fillShifted(found, {gated: given('gated_weighting'), taps: given('shift_weighting'), shifts: header.shifts, circular: rule === 'circular'});
    } else {
      fillSharpened(found, {shifted: given('shifted_weighting'), sharpening: given('sharpening')[0], powers: this.#powers, floored});
    }
  }

  /**
   * @param {Int32Array} found The bits of one row.
   * @param {Parts} parts
   * @param {number} row
   */
  #correct(found, {widths, corrections}, row) {
    const [expected, bits, locations] = [this.#expected, this.#expectedBits, this.#locations];
    const unused = 32 - 8 * widths[row];
    for (let i = 0; i < locations; i++) {
      let away = 0;
      for (let at = this.#starts[row] + i, place = 0; place < 32 - unused; at += locations, place += 8) away |= corrections[at] << place;
      // The bits of NaN are not alike everywhere, so they count as 0.
      found[i] = (Number.isNaN(expected[i]) ? 0 : bits[i]) + (unused === 32 ? 0 : (away << unused) >> unused);
    }
  }

  /** @param {Float32Array} record Of the step whose heads are about to address the memory. */
  #find(record) {
    const {header} = this.#data;
    this.#memory ??= /** @type {Float32Array} */ (this.#data.initial('initial_memory')).slice();
    if (this.#data.has('memory_found')) this.#memory.set(this.#of(record, 'memory_found'));
    if (header.acting_weighting === 'previous') {
      this.#apply(record, this.#data.writeHeads.map((head) => this.#data.weightingBefore(this.#data.received, head)));
    }
  }

  /** @param {Float32Array} record Of a step whose write heads have their weightings. */
  #write(record) {
    if (this.#data.header.acting_weighting === 'previous') return;
    this.#apply(record, this.#data.writeHeads.map((head) => this.#of(record, 'weighting', head)));
  }

  /**
   * @param {Float32Array} record
   * @param {Numbers[]} weightings
   */
  #apply(record, weightings) {
    writeInPlace(/** @type {Float32Array} */ (this.#memory), {
      weightings,
      erases: weightings.map((_, index) => this.#of(record, 'erase_vector', index)),
      adds: weightings.map((_, index) => this.#of(record, 'add_vector', index)),
    }, String(this.#data.header.config.write_order));
  }

  /**
   * @param {Float32Array} record
   * @param {string} name
   * @param {number} [head] On the field's first axis; the whole field without one.
   * @returns {Float32Array}
   */
  #of(record, name, head) {
    const {offset, size, shape} = this.#data.field(name);
    if (head === undefined) return record.subarray(offset, offset + size);
    const row = size / shape[0];
    return record.subarray(offset + head * row, offset + (head + 1) * row);
  }
}

/** @param {TraceData} data */
function check(data) {
  const {coding, seen_memory: seen, heads, axes, dtype, shifts} = data.header;
  for (const [name, rule] of Object.entries(coding)) {
    if (!(Object.hasOwn(RULES, name) && RULES[name].includes(rule))) throw new WireError(`Field '${name}' is coded by the unknown rule '${rule}'`);
  }
  if (dtype !== 'float32') throw new WireError(`The steps are coded, but the numbers are ${dtype}; only float32 is coded`);
  for (const [name, expected] of NEEDED) {
    const found = data.has(name) ? data.field(name).axes.join() : 'none';
    if (found !== expected) throw new WireError(`Coded steps need field '${name}' with axes ${expected}; it has ${found}`);
  }
  if (!Array.isArray(seen) || seen.length !== axes.head || seen.some((one) => ![null, 'found', 'left'].includes(one))) {
    throw new WireError(`'seen_memory' must name 'found', 'left' or null for each of ${axes.head} heads`);
  }
  if (heads.length !== axes.head || data.writeHeads.length !== axes.write_head || shifts.length !== axes.shift) {
    throw new WireError("The header's heads and shifts must be as many as its axes say");
  }
}
