// Rows over time with fewer columns than steps: each column shows the value farthest from zero among its steps.

/** @import {Numbers} from './memory.js' */

/**
 * Which steps share a column: column c shows the steps from first + c · span up to the next column's, or to `end`.
 * @typedef {{first: number, end: number, span: number, columns: number}} Columns
 */

/**
 * @param {number} first The first step that is shown.
 * @param {number} end The step after the last that is shown.
 * @param {number} most How many columns there may be, at least 1.
 * @returns {Columns} All of one whole span, but for the last column, which may be shorter. A span of 1 pools nothing.
 */
export function columnsOf(first, end, most) {
  if (!(end >= first && most >= 1)) throw new RangeError(`${most} columns for the steps from ${first} to ${end}`);
  const span = Math.max(1, Math.ceil((end - first) / Math.floor(most)));
  return {first, end, span, columns: Math.ceil((end - first) / span)};
}

/**
 * The steps that a column shows.
 *
 * @param {Columns} columns
 * @param {number} column
 * @returns {[number, number]} The first, and the one after the last.
 */
export function stepsOf({first, end, span}, column) {
  return [first + column * span, Math.min(end, first + (column + 1) * span)];
}

/**
 * Rows over columns of steps, filled as steps arrive: no more steps are read twice. A value that stands out in one step
 * stands out in its column, with its sign; of two values that are equally far from zero the earlier stays. NaN hides
 * all others of its column, since it is what a person must not miss.
 */
export class PooledRows {
  /** @type {number} The step that is read next. */ #next;

  /**
   * @param {Columns} columns
   * @param {number} rows How many numbers each step has.
   * @param {(length: number) => Numbers} zeros Makes arrays of the trace's dtype.
   */
  constructor(columns, rows, zeros) {
    this.columns = columns;
    /** `rows[row][column]`, NaN for columns none of whose steps has arrived. Read only. */
    this.rows = Array.from({length: rows}, () => zeros(columns.columns).fill(NaN));
    this.#next = columns.first;
  }

  /**
   * Take the steps that have arrived since the last call.
   *
   * @param {number} received How many steps of the trace have arrived.
   * @param {(step: number) => Numbers} at One step's numbers, one for each row.
   * @returns {Numbers[]} `rows`.
   */
  fill(received, at) {
    const {first, end, span} = this.columns;
    for (const until = Math.min(received, end); this.#next < until; this.#next++) {
      const column = Math.floor((this.#next - first) / span);
      pool(this.rows, column, at(this.#next), (this.#next - first) % span === 0);
    }
    return this.rows;
  }
}

/**
 * @param {Numbers[]} rows
 * @param {number} column
 * @param {Numbers} values One for each row.
 * @param {boolean} starts Whether these are the column's first.
 */
function pool(rows, column, values, starts) {
  for (let row = 0; row < rows.length; row++) {
    const kept = rows[row][column];
    // Written so that a NaN that is kept is never replaced, and one that comes always replaces.
    if (starts || !(Math.abs(values[row]) <= Math.abs(kept) || Number.isNaN(kept))) rows[row][column] = values[row];
  }
}
