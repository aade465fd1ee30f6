import assert from 'node:assert/strict';
import {test} from 'node:test';

import {curvesOf, kindOf, latestMeasured} from '../../frontend/src/shell/learning_curves.js';

const run = (seed, recipe = {batch: 1, max_iterations: 9}, memory = true, status = 'finished', config = {}) => (
  {id: `run-${seed}`, status, plan: {task: {name: 'copy'}, config: {controller: 'lstm', input_size: 9, ...config}, recipe, seed, memory}});
const rows = (...values) => values.map((wrong_bits, index) => ({sequences: 10 * index, wrong_bits}));

test('runs that differ in seed alone are one curve, with median and range over them', () => {
  const [curve, ...others] = curvesOf([{run: run(1), rows: rows(4, 2)}, {run: run(2), rows: rows(8, 1, 0)}, {run: run(3), rows: rows(6)}], 'wrong_bits');
  assert.deepEqual(others, []);
  assert.deepEqual(curve, {runs: ['run-1', 'run-2', 'run-3'], x: [0, 10, 20], median: [6, 2, 2], low: [4, 1, 0], high: [8, 6, 6], name: 'copy, lstm, 3 seeds'});
});

test('two runs of one seed are no two seeds', () => {
  const [{name}] = curvesOf([{run: run(3), rows: rows(4)}, {run: run(3), rows: rows(4, 2)}], 'wrong_bits');
  assert.equal(name, 'copy, lstm, seed 3');
});

test('another recipe is another curve; another limit is not', () => {
  assert.notEqual(kindOf(run(1)), kindOf(run(1, {batch: 2, max_iterations: 9})));
  assert.equal(kindOf(run(1)), kindOf(run(5, {batch: 1, max_iterations: 99})));
});

test('a seed that is finished counts on with its last measurement, and only from its first', () => {
  const late = [{sequences: 5, wrong_bits: 9}, {sequences: 30, wrong_bits: 3}];
  const [curve] = curvesOf([{run: run(1), rows: rows(4, 2)}, {run: run(2), rows: late}], 'wrong_bits');
  assert.deepEqual([curve.x, curve.median, curve.low, curve.high], [[0, 5, 10, 30], [4, 6.5, 5.5, 2.5], [4, 4, 2, 2], [4, 9, 9, 3]]);
});

test('a seed that is not finished counts as far as it was measured', () => {
  for (const status of ['running', 'queued', 'paused', 'stopped', 'failed']) {
    const [curve] = curvesOf([{run: run(1), rows: rows(4, 2, 0)}, {run: run(2, undefined, true, status), rows: rows(8, 6)}], 'wrong_bits');
    assert.deepEqual([curve.x, curve.median, curve.low, curve.high], [[0, 10, 20], [6, 4, 0], [4, 2, 0], [8, 6, 0]]);
  }
  assert.deepEqual(curvesOf([{run: run(2, undefined, true, 'running'), rows: []}], 'wrong_bits')[0].x, []);
});

test('kinds that share task and controller are told apart by what differs', () => {
  const kinds = [
    run(1, {batch: 1, max_iterations: 9}, true, 'finished', {initial_memory: 'learned', clip: 20}),
    run(1, {batch: 1, max_iterations: 9}, true, 'finished', {initial_memory: 'constant', clip: null, input_size: 5}),
    run(1, {batch: 4, max_iterations: 9}, true, 'finished', {initial_memory: 'constant', clip: 20}),
    run(1, {batch: 4, max_iterations: 9}, true, 'finished', {controller: 'gru'}),
  ];
  assert.deepEqual(curvesOf(kinds.map((one) => ({run: one, rows: rows(4)})), 'wrong_bits').map(({name}) => name), [
    'copy, lstm, initial memory learned, clip 20, batch 1, seed 1',
    'copy, lstm, initial memory constant, clip null, batch 1, seed 1',
    'copy, lstm, initial memory constant, clip 20, batch 4, seed 1',
    'copy, gru, seed 1',
  ]);
});

test('a controller without memory is no seed of the machine with one', () => {
  const curves = curvesOf([{run: run(1), rows: rows(4)}, {run: run(2, undefined, false), rows: rows(8)}], 'wrong_bits');
  assert.deepEqual(curves.map(({name, median}) => [name, median]), [['copy, lstm, seed 1', [4]], ['copy, no memory, seed 2', [8]]]);
});

/** What answers only when it is told to, in any order. */
function slowMetrics() {
  const asked = [];
  const metricsOf = (id, signal) => new Promise((resolve, reject) => asked.push({id, signal, resolve, reject}));
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return {asked, metricsOf, settled};
}

test('the curves are those asked for last, whichever answer comes last', async () => {
  const {asked, metricsOf, settled} = slowMetrics();
  const [drawn, failed] = [[], []];
  const measure = latestMeasured({metricsOf, draw: (measured) => drawn.push(measured.map(({run: {id}}) => id)), fail: (error) => failed.push(error), signal: new AbortController().signal});
  measure([{id: 'a'}, {id: 'b'}]);
  measure([{id: 'b'}]);
  assert.deepEqual(asked.map(({id, signal}) => [id, signal.aborted]), [['a', true], ['b', true], ['b', false]]);
  asked[2].resolve([]);
  await settled();
  asked[0].resolve([]);
  asked[1].reject(new Error('of the one before'));
  await settled();
  assert.deepEqual([drawn, failed], [[['b']], []]);
});

test('no curves are asked for where no run is shown, and none are drawn any more', async () => {
  const {asked, metricsOf, settled} = slowMetrics();
  const drawn = [];
  const measure = latestMeasured({metricsOf, draw: (measured) => drawn.push(measured), fail: () => {}, signal: new AbortController().signal});
  measure([{id: 'a'}]);
  measure([]);
  asked[0].resolve([]);
  await settled();
  assert.deepEqual([asked.length, drawn], [1, []]);
});

test('curves that cannot be had are told of, but not once the page is gone', async () => {
  const {asked, metricsOf, settled} = slowMetrics();
  const [failed, page] = [[], new AbortController()];
  const measure = latestMeasured({metricsOf, draw: () => {}, fail: (error) => failed.push(error.message), signal: page.signal});
  measure([{id: 'a'}]);
  asked[0].reject(new Error('gone'));
  await settled();
  measure([{id: 'a'}]);
  page.abort();
  asked[1].reject(new Error('aborted'));
  await settled();
  assert.deepEqual(failed, ['gone']);
});
