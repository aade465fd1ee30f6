// Where two traces part, held against what Python found in the same traces.

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {TraceData} from '../../frontend/src/trace_data.js';
import {COMPARED, divergence, isMirrored, TOLERANCE} from '../../frontend/src/views/divergence.js';
import {analysed, traceOf} from './analysed_helper.js';
import {viewsTrace} from './views_helper.js';

/** A trace like another one with other step records. */
function withSteps(data, numbers) {
  const other = new TraceData(data.header);
  other.setInitial(data.initial('initial_memory').constructor.from([...data.header.fields.initial].flatMap(({name}) => [...data.initial(name)])));
  other.setEpisode(data.episode('inputs').constructor.from([...data.header.fields.episode].flatMap(({name}) => [...data.episode(name)])));
  other.appendSteps(numbers);
  return other;
}

/** The trace with two numbers moved, as Python moved them. */
function otherOf(data, records) {
  const bytes = new Uint8Array(Buffer.from(records, 'base64'));
  return withSteps(data, data.header.dtype === 'float64' ? new Float64Array(bytes.buffer) : new Float32Array(bytes.buffer));
}

for (const {name, other, divergences} of analysed) {
  test(`${name} parts from a changed trace where Python says`, async () => {
    const data = await traceOf(name);
    const changed = otherOf(data, other);
    for (const {rows, tolerance, offset, steps, first} of divergences) {
      const found = divergence(data, changed, {rows, tolerance, offset});
      assert.deepEqual({...found.first, difference: undefined}, {...first, difference: undefined});
      if (first) assert.ok(Math.abs(found.first.difference - first.difference) < 1e-12);
      assert.deepEqual([found.steps, found.skipped], [steps, []]);
    }
  });
}

test('a trace does not part from itself', async () => {
  const data = await traceOf("the paper's way");
  assert.deepEqual(divergence(data, data), {steps: 20, tolerance: TOLERANCE, skipped: [], first: null});
});

test('a number against none is a difference without a size', async () => {
  const [data, other] = [await traceOf("the paper's way"), await traceOf("the paper's way")];
  other.at('sharpening', 5)[1] = NaN;
  assert.deepEqual(divergence(data, other).first,
    {step: 5, stage: 'sharpening', head: 1, headName: 'write 0', difference: null});
  assert.equal(divergence(other, other).first, null);
});

test('memory is compared at every step of machines that write in another order', async () => {
  const [data, other] = [await traceOf('addressing last'), await traceOf('addressing last')];
  const order = data.header.config.write_order === 'one_by_one' ? 'erases_then_adds' : 'one_by_one';
  other.header = {...other.header, config: {...other.header.config, write_order: order}};
  const {first} = divergence(data, other);
  assert.equal(first.stage, 'memory');
  const apart = (step) => Math.max(...data.memoryFound(step).map((number, i) => Math.abs(number - other.memoryFound(step)[i])));
  assert.equal(first.difference, apart(first.step));
  assert.ok(apart(first.step - 1) <= TOLERANCE && first.difference > TOLERANCE);
});

test('stages of other shapes are skipped, and named', async () => {
  const [data, other] = [await traceOf("the paper's way"), await traceOf('shifts by two, up to the edge')];
  assert.deepEqual(divergence(data, other, {tolerance: 1e9}).skipped,
    ['memory', 'weighting_before', 'shift_weighting', 'content_weighting', 'gated_weighting', 'shifted_weighting', 'weighting']);
});

test('rows that run backwards are mirrored', () => {
  assert.deepEqual([[2, 1, 0, 3], [1, 2, 3, 0], [2, 1, 3, 0], [1, 0]].map(isMirrored), [true, false, false, false]);
});

/** A trace whose steps from the fourth on are those of another one. */
function lateOf(a) {
  const late = viewsTrace({steps: 10, seed: 8});
  const recorded = COMPARED.filter((name) => a.has(name));
  for (const name of recorded) for (let step = 0; step < 6; step++) late.at(name, step + 3).set(a.at(name, step));
  return late;
}

test('a trace that is three steps late parts where it does, as the first counts', () => {
  const a = viewsTrace({steps: 6});
  const {first: {step: atOnce, stage}} = divergence(a, lateOf(a), {offset: 3});
  assert.deepEqual([atOnce, stage], [0, 'memory'], 'what the first three steps wrote');
  const late = lateOf(a);
  late.initial('initial_memory').set(a.initial('initial_memory'));
  for (let step = 0; step < 3; step++) for (const name of ['erase_vector', 'add_vector']) late.at(name, step).fill(0);
  assert.equal(divergence(a, late, {offset: 3}).first.stage, 'weighting_before');
  late.at('weighting', 2).set(a.initial('initial_weighting'));
  assert.deepEqual(divergence(a, late, {offset: 3}), {steps: 6, tolerance: TOLERANCE, skipped: [], first: null});
  assert.equal(divergence(a, late).first.step, 0);
  late.at('sharpening', 7, 1)[0] += 1;
  const {first} = divergence(a, late, {offset: 3});
  assert.deepEqual([first.step, first.stage, first.headName], [4, 'sharpening', 'write 0']);
  assert.deepEqual([divergence(a, late, {offset: 10}).steps, divergence(a, late, {offset: -4}).steps], [0, 2]);
  assert.equal(divergence(a, late, {offset: -4}).first.step, 4);
});

test('a state before the first step that another program does not know is no difference', () => {
  for (const name of ['initial_memory', 'initial_weighting']) {
    const [a, unknown] = Array.from({length: 2}, () => viewsTrace({steps: 6}));
    unknown.initial(name).fill(NaN);
    assert.equal(divergence(a, unknown).first, null);
    assert.equal(divergence(unknown, a).first, null);
  }
});

test('another M_0 or w_0 is a difference at the first step', () => {
  const [a, memory, weighting] = Array.from({length: 3}, () => viewsTrace({steps: 6}));
  for (const trace of [a, memory, weighting]) {
    trace.initial('initial_memory')[3] = trace === memory ? 0.5 : 0;
    trace.initial('initial_weighting')[1] = trace === weighting ? 0.25 : 0;
  }
  assert.deepEqual(divergence(a, memory).first, {step: 0, stage: 'memory', head: null, headName: null, difference: 0.5});
  assert.deepEqual(divergence(a, weighting).first, {step: 0, stage: 'weighting_before', head: 0, headName: 'read 0', difference: 0.25});
});
