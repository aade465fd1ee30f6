import assert from 'node:assert/strict';
import {test} from 'node:test';

import {curvesOf, kindOf} from '../../frontend/src/shell/learning_curves.js';

const run = (seed, recipe = {batch: 1, max_iterations: 9}) => ({plan: {task: {name: 'copy'}, config: {controller: 'lstm'}, recipe, seed}});
const rows = (...values) => values.map((wrong_bits, index) => ({sequences: 10 * index, wrong_bits}));

test('runs that differ in seed alone are one curve, with median and range over them', () => {
  const [curve, ...others] = curvesOf([{run: run(1), rows: rows(4, 2)}, {run: run(2), rows: rows(8, 1, 0)}, {run: run(3), rows: rows(6)}], 'wrong_bits');
  assert.deepEqual(others, []);
  assert.deepEqual(curve, {x: [0, 10, 20], median: [6, 1.5, 0], low: [4, 1, 0], high: [8, 2, 0], name: 'copy, lstm, 3 seeds'});
});

test('another recipe is another curve; another limit is not', () => {
  assert.notEqual(kindOf(run(1)), kindOf(run(1, {batch: 2, max_iterations: 9})));
  assert.equal(kindOf(run(1)), kindOf(run(5, {batch: 1, max_iterations: 99})));
});
