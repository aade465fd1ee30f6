// Matrices with fewer cells than numbers: each shows the value farthest from zero among its own.

/**
 * Which steps share a column: column c shows the steps from first + c · span up to the next column's, or to `end`. Likewise
 * which rows of numbers share a row of cells.
 * @typedef {{first: number, end: number, span: number, columns: number}} Columns
 */

/** @returns {number} Pixels of the screen for one of CSS: other ones on another screen, or once a person zooms the page. */
export function pixelRatio() {
  return globalThis.devicePixelRatio ?? 1;
}

/**
 * A cell that is smaller than a pixel of the screen is drawn or not as it happens, so there are no more cells than pixels.
 *
 * @param {[number, number]} range What is in sight, where number i lies between i and i + 1.
 * @param {number} count Of the numbers.
 * @param {number} pixels Of CSS.
 * @returns {Columns|null} Those in sight, in as many cells as can be drawn; null if all have room.
 */
export function sharing([low, high], count, pixels) {
  const most = Math.max(1, Math.floor(pixelRatio() * pixels));
  return count <= most ? null : columnsOf(Math.max(0, Math.floor(low)), Math.min(count, Math.ceil(high)), most);
}

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
 * @typedef {object} Filling
 * @property {Columns|null} [down] The rows that share a row of cells; without, each is one.
 * @property {(step: number) => number} [arrivedFrom] The step after the last of those that have arrived from a step on, that
 *   one itself if it has not.
 * @property {number} [from] The first column to fill; those before stay as they are.
 * @property {boolean} [gaps] Whether NaN means that nothing is there, and hides no number.
 * @property {(Float32Array|Float64Array)[]} [into] What an earlier call with the same columns and rows gave back, to be filled: a
 *   new array for each row whenever steps arrive is soon as much as the trace itself.
 */

/**
 * Rows over columns of steps. A value that stands out in one step and row stands out in its cell, with its sign; of two values
 * that are equally far from zero the earlier stays, and of one step the upper. NaN hides all others of its cell,
 * since a person must not miss it.
 *
 * @param {ArrayLike<number>[]} rows `rows[row][step]`
 * @param {Columns} columns
 * @param {Filling} [filling]
 * @returns {(Float32Array|Float64Array)[]} `rows[row][column]`, NaN for columns whose first step has not arrived; of float32
 *   where all rows are, since no other numbers can be in it.
 */
export function pooledRows(rows, columns, {down, arrivedFrom = () => Infinity, from = 0, gaps = false, into} = {}) {
  const groups = down ?? columnsOf(0, rows.length, Math.max(1, rows.length));
  const zeros = (/** @type {number} */ length) => (
    rows.every((row) => row instanceof Float32Array) ? new Float32Array(length) : new Float64Array(length));
  const pooled = into ?? nothing(zeros, groups.columns, columns.columns);
  pooled.forEach((cells, index) => {
    const [top, bottom] = stepsOf(groups, index);
    poolInto(cells, rows, {top, bottom, arrivedFrom, from, gaps}, columns);
  });
  return pooled;
}

/**
 * @param {(length: number) => Float32Array|Float64Array} zeros
 * @param {number} rows
 * @param {number} columns
 * @returns {(Float32Array|Float64Array)[]} Rows of NaN in one buffer: a browser that clears away looks at each that there is.
 */
function nothing(zeros, rows, columns) {
  const all = zeros(rows * columns).fill(NaN);
  return Array.from({length: rows}, (_, row) => all.subarray(row * columns, (row + 1) * columns));
}

/**
 * Puts the value farthest from zero into each column that has one. A function for one cell would have to hand its number over on
 * the heap, and there are as many cells a frame as pixels.
 *
 * @param {Float32Array|Float64Array} pooled
 * @param {ArrayLike<number>[]} rows Those from `top` to before `bottom`, at least one, share a row.
 * @param {{top: number, bottom: number, arrivedFrom: (step: number) => number, from: number, gaps: boolean}} filling
 * @param {Columns} columns
 */
function poolInto(pooled, rows, {top, bottom, arrivedFrom, from, gaps}, {first, end, span, columns}) {
  for (let column = from; column < columns; column++) {
    const start = first + column * span;
    const arrived = Math.min(end, start + span, arrivedFrom(start));
    if (start >= arrived) continue;
    let found = rows[top][start];
    for (let step = start; step < arrived; step++) {
      for (let row = top; row < bottom; row++) {
        const value = rows[row][step];
        if (value === value ? (found === found ? Math.abs(value) > Math.abs(found) : gaps) : !gaps) found = value;
      }
    }
    pooled[column] = found;
  }
}

/**
 * What `pooledRows` gives, of a matrix whose columns are there and whose rows are never made. NaN hides all others of its cell.
 *
 * @param {{rows: number, zeros: (length: number) => Float32Array|Float64Array, at: (step: number) => ArrayLike<number>}} matrix
 *   `at`: its numbers in one step, row by row.
 * @param {Columns} columns
 * @param {Omit<Filling, 'gaps'>} [filling]
 * @returns {(Float32Array|Float64Array)[]} `rows[row][column]`
 */
export function pooledColumns({rows, zeros, at}, columns, {down, arrivedFrom = () => Infinity, from = 0, into} = {}) {
  const groups = down ?? columnsOf(0, rows, rows);
  const pooled = into ?? nothing(zeros, groups.columns, columns.columns);
  for (let column = from; column < columns.columns; column++) {
    const [start, end] = stepsOf(columns, column);
    const arrived = Math.min(end, arrivedFrom(start));
    for (let step = start; step < arrived; step++) {
      const values = at(step);
      pooled.forEach((cells, group) => {
        const [top, bottom] = stepsOf(groups, group);
        let found = step === start ? values[top] : cells[column];
        for (let row = top; row < bottom; row++) {
          const value = values[row];
          if (!(Math.abs(value) <= Math.abs(found)) && found === found) found = value;
        }
        cells[column] = found;
      });
    }
  }
  return pooled;
}
