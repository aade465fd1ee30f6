import assert from 'node:assert/strict';
import {test} from 'node:test';

import {columnsOf, PooledRows, stepsOf} from '../../frontend/src/level_of_detail.js';
import {random} from './wire_helper.js';

const zeros = (length) => new Float32Array(length);

/** What the rows should hold: for each row and column the value farthest from zero, looked for in all steps. */
function naive(steps, columns, received) {
  return steps[0].reduce((rows, _, row) => {
    const found = Array.from({length: columns.columns}, (_unused, column) => {
      const [from, to] = stepsOf(columns, column);
      const values = steps.slice(from, Math.min(to, received)).map((step) => step[row]);
      if (values.length === 0 || values.some(Number.isNaN)) return NaN;
      const largest = Math.max(...values.map(Math.abs));
      return values.find((value) => Math.abs(value) === largest);
    });
    return [...rows, Float32Array.from(found)];
  }, []);
}

test('ten steps in four columns: three a column, and one in the last', () => {
  const columns = columnsOf(0, 10, 4);
  assert.deepEqual(columns, {first: 0, end: 10, span: 3, columns: 4});
  assert.deepEqual([0, 3].map((column) => stepsOf(columns, column)), [[0, 3], [9, 10]]);
});

test('as many columns as steps, or more, pool nothing', () => {
  const pooled = new PooledRows(columnsOf(0, 3, 800), 1, zeros);
  assert.deepEqual(pooled.fill(3, (step) => Float32Array.of(step - 1)), [Float32Array.of(-1, 0, 1)]);
});

test('a spike of one step among ten thousand is seen, with its sign, wherever it is', () => {
  for (const spike of [0, 1, 4999, 9998, 9999]) {
    const pooled = new PooledRows(columnsOf(0, 10_000, 700), 2, zeros);
    const rows = pooled.fill(10_000, (step) => Float32Array.of(0.01, step === spike ? -1 : 0.5));
    const column = Math.floor(spike / pooled.columns.span);
    assert.deepEqual([...rows[1].keys()].filter((at) => rows[1][at] === -1), [column]);
    assert.ok(rows[0].every((value) => value === Math.fround(0.01)));
  }
});

test('NaN is seen, and what has not arrived is NaN', () => {
  const steps = [[1], [NaN], [2], [3], [0], [0]];
  const pooled = new PooledRows(columnsOf(0, 6, 2), 1, zeros);
  assert.deepEqual(pooled.fill(0, (step) => steps[step])[0], Float32Array.of(NaN, NaN));
  assert.deepEqual(pooled.fill(6, (step) => steps[step])[0], Float32Array.of(NaN, 3));
});

test('Infinity is farthest from zero', () => {
  const steps = [[-Infinity], [5]];
  assert.deepEqual(new PooledRows(columnsOf(0, 2, 1), 1, zeros).fill(2, (step) => steps[step]), [Float32Array.of(-Infinity)]);
});

for (let seed = 1; seed <= 30; seed++) {
  test(`agrees with the naive search while steps arrive, seed ${seed}`, () => {
    const next = random(seed);
    const below = (limit) => Math.floor(next() * limit);
    const [length, rows] = [1 + below(60), 1 + below(4)];
    // Few values, so that ties and NaN are common.
    const steps = Array.from({length}, () => Array.from({length: rows}, () => [0, -0.5, 0.5, 1, -1, NaN][below(6)]));
    const first = below(length);
    const columns = columnsOf(first, first + below(length - first + 1), 1 + below(12));
    const pooled = new PooledRows(columns, rows, zeros);
    for (let received = 0; received <= length; received += 1 + below(9)) {
      const read = [];
      const found = pooled.fill(received, (step) => { read.push(step); return steps[step]; });
      assert.deepEqual(found, naive(steps, columns, received));
      assert.equal(new Set(read).size, read.length);
    }
  });
}

test('impossible columns are refused', () => {
  assert.throws(() => columnsOf(0, 10, 0), /0 columns for the steps from 0 to 10/);
  assert.throws(() => columnsOf(5, 4, 3), RangeError);
});
