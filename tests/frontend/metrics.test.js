import assert from 'node:assert/strict';
import {test} from 'node:test';

import {createApi} from '../../frontend/src/api.js';
import {newColumn} from '../../frontend/src/compare/columns.js';
import {lengthsFrom, metricsRequest, metricsRows, notMeasured, spreadText} from '../../frontend/src/compare/metrics.js';
import {jsonLines} from '../../frontend/src/lines.js';
import {ApiError} from '../../frontend/src/request.js';
import {initialState} from '../../frontend/src/state.js';

const spread = (median, lowest = median, highest = median) => ({median, mean: median, lowest, highest, sequences: 3});
const length = (number, wrong, used = true) => ({
  length: number, steps: 2 * number + 1, sequences: 3, asked_bits: 8 * number, wrong_bits: wrong, perfect: 1, loss_bits: spread(0.5), metric: spread(0),
  wrong_bits_without_reads: spread(9), saved_by_reads: spread(9), memory_used: used,
  heads: [{head: 'read 0', entropy_bits: spread(0.25), speed: spread(1), operations: {}}],
});
const metrics = (...lengths) => ({metric: 'wrong bits', unit: 'bits', seed: 0, lengths, left_out: []});
const request = {checkpoint: 'one', task: {name: 'copy'}, seed: 3, initial_seed: 0, inputs: null, mode: 'hard', interventions: [], leave_constraints: false};
const {signal} = new AbortController();

/** Bytes in pieces of three, so that lines and letters are cut. */
const stream = (text) => {
  const bytes = new TextEncoder().encode(text);
  return new ReadableStream({start(controller) {
    for (let at = 0; at < bytes.length; at += 3) controller.enqueue(bytes.slice(at, at + 3));
    controller.close();
  }});
};

test('lines are read whole, however they arrive, also the last without its end', async () => {
  const found = [];
  for await (const line of jsonLines(stream('{"a":"γ"}\n\n{"a":2}\n{"a":3}'))) found.push(line.a);
  assert.deepEqual(found, ['γ', 2, 3]);
});

test('a measurement tells its progress, then its result', async () => {
  const result = metrics(length(10, spread(0)));
  const lines = [{progress: {done: 0, total: 4}}, {progress: {done: 4, total: 4}}, {result}].map((line) => `${JSON.stringify(line)}\n`).join('');
  const told = [];
  const api = createApi(async (path, init) => {
    assert.deepEqual([path, JSON.parse(init.body)], ['/api/metrics', {checkpoint: 'one', sequences: 5}]);
    return new Response(stream(lines));
  });
  assert.deepEqual(await api.measure({checkpoint: 'one', sequences: 5}, ({done}) => told.push(done), signal), result);
  assert.deepEqual(told, [0, 4]);
});

test('a measurement that fails, or is cut, says so', async () => {
  const answer = (text) => createApi(async () => new Response(stream(text))).measure({}, () => {}, signal);
  await assert.rejects(answer('{"error":{"code":"x","message":"It left the simplex."}}\n'), /It left the simplex/);
  await assert.rejects(answer('{"progress":{"done":1,"total":2}}\n'), /cut before its result/);
});

test('each column is measured as it is asked for; a recording cannot be', () => {
  const summary = (id, source = 'shipped') => ({id, name: id, source, config: {input_size: 9, output_size: 8}, task: {name: 'copy'}});
  const state = {
    ...initialState(), request, tasks: [], checkpoints: [summary('one'), summary('trace-1', 'recorded')],
  };
  const options = {sequences: 50, lengths: [10]};
  assert.deepEqual(metricsRequest(state, null, options), {checkpoint: 'one', task: {name: 'copy'}, sequences: 50, lengths: [10], mode: 'hard'});
  const choice = (checkpoint) => newColumn({checkpoint, mode: 'full', interventions: [], leave_constraints: false});
  assert.deepEqual(metricsRequest(state, choice('one'), {sequences: 50, lengths: null}), {checkpoint: 'one', task: {name: 'copy'}, sequences: 50});
  assert.equal(metricsRequest(state, choice('trace-1'), options), null);
});

test('a measurement that is refused is told as the page counts', () => {
  const state = {modes: [{name: 'full', interventions: []}, {name: 'frozen_memory', interventions: [{}, {}]}]};
  const refused = new ApiError({code: 'bad_intervention', message: 'intervention 2: steps is [30, 31], but the run has 9 steps: they end at 9', status: 422});
  const asked = {checkpoint: 'one', task: null, sequences: 5, mode: 'frozen_memory'};
  assert.deepEqual([notMeasured(state, asked, refused).message, notMeasured(state, asked, refused).status], ['edit 1 is at t = 31, but this episode ends at t = 9', 422]);
  assert.match(notMeasured(state, {...asked, mode: undefined}, refused).message, /^edit 3 is at t = 31/);
});

test('lengths are whole numbers, or those of the task', () => {
  assert.deepEqual(lengthsFrom('10, 20 40'), {lengths: [10, 20, 40], problem: ''});
  for (const text of ['', ' , ']) assert.deepEqual(lengthsFrom(text), {lengths: null, problem: ''});
});

test('what is no length is named', () => {
  for (const [text, wrong] of [['5 abc', 'abc'], ['1.5', '1.5'], ['4, -3', '-3'], ['0', '0'], ['1e3', '1e3'], ['9999999999', '9999999999']]) {
    const {lengths, problem} = lengthsFrom(text);
    assert.equal(lengths, null);
    assert.ok(problem.startsWith(`'${wrong}' is no length`), problem);
  }
});

test('a spread is its median, and its range where it has one', () => {
  assert.equal(spreadText(spread(3, 0, 12)), '3 (0 … 12)');
  assert.equal(spreadText(spread(0)), '0');
  assert.equal(spreadText(spread(null)), '–');
});

test('rows are by length, and have a cell for every column', () => {
  const rows = metricsRows([metrics(length(20, spread(1)), length(10, spread(2, 1, 3))), metrics(length(10, spread(0), false)), null]);
  assert.deepEqual([...new Set(rows.map((row) => row.length))], [10, 20]);
  const cells = (of, quantity) => rows.find((row) => row.length === of && row.quantity === quantity).cells;
  assert.deepEqual(cells(10, 'wrong bits'), ['2 (1 … 3) of 80', '0 of 80', null]);
  assert.deepEqual(cells(20, 'memory is used'), ['yes', null, null]);
  assert.deepEqual(cells(10, 'memory is used'), ['yes', 'no', null]);
  assert.deepEqual(cells(10, 'speed of read 0, locations a step'), ['1', '1', null]);
});

test('a length that an edit does not fit is there, with the reason', () => {
  const edited = {...metrics(length(20, spread(1))), left_out: [{length: 5, steps: 11, needed: 31}, {length: 4, steps: 9, needed: 31}]};
  const rows = metricsRows([metrics(length(5, spread(0)), length(20, spread(0))), edited]);
  assert.deepEqual([...new Set(rows.map((row) => row.length))], [4, 5, 20]);
  assert.deepEqual(rows.filter(({quantity}) => quantity === 'left out').map((row) => [row.length, row.cells]), [
    [4, [null, '9 steps: an edit needs 31']],
    [5, [null, '11 steps: an edit needs 31']],
  ]);
});
