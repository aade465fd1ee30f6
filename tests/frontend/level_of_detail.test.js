import assert from 'node:assert/strict';
import {test} from 'node:test';

import {columnsOf, pooledColumns, pooledRows, sharing, stepsOf} from '../../frontend/src/level_of_detail.js';
import {random} from './wire_helper.js';

/** What a row of cells should hold: for each column the value farthest from zero, looked for in all steps of all its rows. */
function naive(rows, columns, {arrivedFrom, from, gaps}) {
  return Float64Array.from({length: columns.columns}, (_, column) => {
    const [start, end] = stepsOf(columns, column);
    const steps = Array.from({length: Math.max(0, Math.min(end, arrivedFrom(start)) - start)}, (_, index) => start + index);
    const values = steps.flatMap((step) => rows.map((row) => row[step]));
    const numbers = values.filter((value) => !Number.isNaN(value));
    if (column < from || numbers.length === 0 || (!gaps && numbers.length < values.length)) return NaN;
    const largest = Math.max(...numbers.map(Math.abs));
    return numbers.find((value) => Math.abs(value) === largest);
  });
}

test('columns of float32 rows are float32, and of all others float64', () => {
  const single = Float32Array.of(0.1, -0.2);
  assert.deepEqual(pooledRows([single, single], columnsOf(0, 2, 1)), [Float32Array.of(-0.2), Float32Array.of(-0.2)]);
  assert.deepEqual(pooledRows([single, [0.1, -0.2]], columnsOf(0, 2, 1)), [Float64Array.of(Math.fround(-0.2)), Float64Array.of(-0.2)]);
});

test('ten steps in four columns: three a column, and one in the last', () => {
  const columns = columnsOf(0, 10, 4);
  assert.deepEqual(columns, {first: 0, end: 10, span: 3, columns: 4});
  assert.deepEqual([0, 3].map((column) => stepsOf(columns, column)), [[0, 3], [9, 10]]);
});

test('as many columns as steps, or more, pool nothing', () => {
  assert.deepEqual(pooledRows([[-1, 0, 1]], columnsOf(0, 3, 800)), [Float64Array.of(-1, 0, 1)]);
});

test('a spike of one step among ten thousand is seen, with its sign, wherever it is', () => {
  for (const spike of [0, 1, 4999, 9998, 9999]) {
    const columns = columnsOf(0, 10_000, 700);
    const [calm, row] = pooledRows([0.01, 0.5].map((value, at) => (
      Float32Array.from({length: 10_000}, (_, step) => (at === 1 && step === spike ? -1 : value)))), columns);
    assert.deepEqual([...row.keys()].filter((at) => row[at] === -1), [Math.floor(spike / columns.span)]);
    assert.ok(calm.every((value) => value === Math.fround(0.01)));
  }
});

test('NaN is seen, unless it only means that nothing is there', () => {
  const rows = [[1, NaN, 2, NaN, -3, 0, NaN, NaN]];
  assert.deepEqual(pooledRows(rows, columnsOf(0, 8, 4)), [Float64Array.of(NaN, NaN, -3, NaN)]);
  assert.deepEqual(pooledRows(rows, columnsOf(0, 8, 4), {gaps: true}), [Float64Array.of(1, 2, -3, NaN)]);
});

test('Infinity is farthest from zero', () => {
  assert.deepEqual(pooledRows([[-Infinity, 5]], columnsOf(0, 2, 1)), [Float64Array.of(-Infinity)]);
});

for (let seed = 1; seed <= 30; seed++) {
  test(`agrees with the naive search while steps arrive, seed ${seed}`, () => {
    const next = random(seed);
    const below = (limit) => Math.floor(next() * limit);
    const [length, rows] = [1 + below(60), 1 + below(4)];
    // Few values, so that ties and NaN are common.
    const matrix = Array.from({length: rows}, () => Array.from({length}, () => [0, -0.5, 0.5, 1, -1, NaN][below(6)]));
    const first = below(length);
    const columns = columnsOf(first, first + below(length - first + 1), 1 + below(12));
    for (let received = 0; received <= length; received += 1 + below(9)) {
      const [ahead, end] = [below(length + 1), below(length + 1)];
      const arrivedFrom = (step) => (step < received ? received : step >= ahead && step < end ? end : step);
      const options = {arrivedFrom, from: below(columns.columns + 1), gaps: below(2) === 1};
      assert.deepEqual(pooledRows(matrix, columns, options), matrix.map((row) => naive([row], columns, options)));
      const top = below(rows);
      const down = columnsOf(top, top + below(rows - top + 1), 1 + below(3));
      const groups = Array.from({length: down.columns}, (_, at) => matrix.slice(...stepsOf(down, at)));
      assert.deepEqual(pooledRows(matrix, columns, {...options, down}), groups.map((group) => naive(group, columns, options)));
      const standing = {rows, zeros: (count) => new Float64Array(count), at: (step) => matrix.map((row) => row[step])};
      for (const filling of [{...options, gaps: false, down}, {...options, gaps: false}]) {
        assert.deepEqual(pooledColumns(standing, columns, filling), pooledRows(matrix, columns, filling));
      }
    }
  });
}

for (let seed = 1; seed <= 10; seed++) {
  test(`what is filled again as steps arrive is what one call gives, seed ${seed}`, () => {
    const next = random(seed);
    const below = (limit) => Math.floor(next() * limit);
    const length = 1 + below(60);
    const matrix = Array.from({length: 3}, () => Float32Array.from({length}, () => [0, -0.5, 0.5, 1, NaN][below(5)]));
    const columns = columnsOf(0, length, 1 + below(12));
    const down = below(2) === 1 ? columnsOf(0, 3, 2) : null;
    let into;
    for (let received = 0, before = 0; before < length; before = received, received = Math.min(length, received + 1 + below(9))) {
      const options = {arrivedFrom: (step) => Math.max(step, received), gaps: seed % 2 === 1, down};
      // The last column may have got more steps.
      const from = Math.max(0, Math.ceil(before / columns.span) - 1);
      const rows = pooledRows(matrix, columns, {...options, from, into});
      assert.deepEqual(rows, pooledRows(matrix, columns, options));
      if (into) assert.equal(rows[0], into[0]);
      if (!options.gaps) {
        const standing = {rows: 3, zeros: (count) => new Float32Array(count), at: (step) => matrix.map((row) => row[step])};
        assert.deepEqual(pooledColumns(standing, columns, {...options, from, into: rows.map((row) => row.slice())}), rows);
      }
      into = rows;
    }
  });
}

test('numbers in sight share cells once there are more of all of them than pixels', () => {
  assert.equal(sharing([0, 100], 100, 100), null);
  assert.equal(sharing([20.5, 30.5], 100, 100), null);
  assert.deepEqual(sharing([0, 101], 101, 100), {first: 0, end: 101, span: 2, columns: 51});
  assert.deepEqual(sharing([-5, 999], 101, 100), {first: 0, end: 101, span: 2, columns: 51});
  assert.deepEqual(sharing([20.5, 30.5], 101, 100), {first: 20, end: 31, span: 1, columns: 11});
});

test('there are no more cells than pixels of the screen, whichever screen that is now', (t) => {
  t.after(() => Reflect.deleteProperty(globalThis, 'devicePixelRatio'));
  for (const [ratio, pixels, columns] of [[2, 101, null], [2, 100, 101], [1.5, 100, 101], [0.5, 150, 68]]) {
    Object.assign(globalThis, {devicePixelRatio: ratio});
    assert.equal(sharing([0, 202], 202, pixels)?.columns ?? null, columns, `${ratio}`);
  }
});

test('impossible columns are refused', () => {
  assert.throws(() => columnsOf(0, 10, 0), /0 columns for the steps from 0 to 10/);
  assert.throws(() => columnsOf(5, 4, 3), RangeError);
});
