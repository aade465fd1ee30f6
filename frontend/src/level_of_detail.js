// Rows over time with fewer columns than steps: each column shows the value farthest from zero among its steps.

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
 * Rows over columns of steps. A value that stands out in one step stands out in its column, with its sign; of two values
 * that are equally far from zero the earlier stays. NaN hides all others of its column, since a person must not miss it.
 *
 * @param {ArrayLike<number>[]} rows `rows[row][step]`
 * @param {Columns} columns
 * @param {{arrivedFrom?: (step: number) => number, from?: number, gaps?: boolean, into?: (Float32Array|Float64Array)[]}} [options] `arrivedFrom`: the step after the last
 *   of those that have arrived from a step on, that one itself if it has not; `from`: the first column to fill, those before stay
 *   as they are; `gaps`: NaN means that nothing is there, and hides no number; `into`: what an earlier call with the same columns
 *   gave back, to be filled, since a new array for each row whenever steps arrive is soon as much as the trace itself.
 * @returns {(Float32Array|Float64Array)[]} `rows[row][column]`, NaN for columns whose first step has not arrived; of float32
 *   where the row is, since no other numbers can be in it.
 */
export function pooledRows(rows, columns, {arrivedFrom = () => Infinity, from = 0, gaps = false, into} = {}) {
  return rows.map((row, index) => {
    const pooled = into?.[index] ?? new (row instanceof Float32Array ? Float32Array : Float64Array)(columns.columns).fill(NaN);
    for (let column = from; column < columns.columns; column++) {
      const [start, end] = stepsOf(columns, column);
      const arrived = Math.min(end, arrivedFrom(start));
      if (start < arrived) pooled[column] = farthest(row, start, arrived, gaps);
    }
    return pooled;
  });
}

/**
 * @param {ArrayLike<number>} row
 * @param {number} start
 * @param {number} end After `start`.
 * @param {boolean} gaps
 * @returns {number} The value farthest from zero.
 */
function farthest(row, start, end, gaps) {
  let found = row[start];
  for (let step = start + 1; step < end; step++) {
    const value = row[step];
    if (value !== value && !gaps) return NaN;
    if (found !== found ? gaps : Math.abs(value) > Math.abs(found)) found = value;
  }
  return found;
}
