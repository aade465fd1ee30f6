import assert from 'node:assert/strict';
import {test} from 'node:test';

import {createApi} from '../../frontend/src/api.js';
import {cannotSubtract, deltaPlots, deltaStages, memoryDelta, outputDelta, vectorDelta, weightingDelta} from '../../frontend/src/compare/delta_plots.js';
import {stageHeatmaps} from '../../frontend/src/compare/stage_heatmaps.js';
import {bestMatching, Matcher, matchingText, refusedRun} from '../../frontend/src/compare/matching.js';
import {SIZE, viewsModel, viewsTrace} from './views_helper.js';

const [a, b] = [viewsTrace({seed: 1}), viewsTrace({seed: 2, steps: 8})];
const delta = (changes = {}, step = 2) => ({...viewsModel(a), step, other: {b, rows: null, offset: 0, letter: 'B', ...changes}});
const ROTATED = [1, 2, 3, 4, 0];

test('Δw is B less A, row by row', () => {
  const found = weightingDelta(delta(), 1);
  assert.equal(found.length, 5);
  assert.equal(found[3][4], Math.fround(b.value('weighting', 4, 1, 3) - a.value('weighting', 4, 1, 3)));
});

test('Δy is B less A, channel by channel', () => {
  assert.equal(outputDelta(delta({offset: 1}))[1][2], Math.fround(b.value('outputs', 3, 1) - a.value('outputs', 2, 1)));
});

test('Δa and Δr are B less A, element by element', () => {
  assert.equal(vectorDelta(delta({offset: 1}), 'write')[3][2], Math.fround(b.value('add_vector', 3, 0, 3) - a.value('add_vector', 2, 0, 3)));
  assert.equal(vectorDelta(delta(), 'read')[1][5], Math.fround(b.value('read_vector', 5, 0, 1) - a.value('read_vector', 5, 0, 1)));
  assert.ok(Number.isNaN(vectorDelta(delta({offset: 5}), 'read')[1][5]));
});

test('matched rows of B stand for those of A, in weightings and in memory', () => {
  const found = weightingDelta(delta({rows: ROTATED}), 0);
  assert.equal(found[4][1], Math.fround(b.value('weighting', 1, 0, 0) - a.value('weighting', 1, 0, 4)));
  const memory = memoryDelta(delta({rows: ROTATED}));
  assert.equal(memory[0][3], b.memory(2)[1 * 4 + 3] - a.memory(2)[0 * 4 + 3]);
});

test('a later moment of B stands for A where they are aligned so; steps that B has not are empty', () => {
  assert.equal(weightingDelta(delta({offset: 2}), 0)[2][3], Math.fround(b.value('weighting', 5, 0, 2) - a.value('weighting', 3, 0, 2)));
  assert.ok(Number.isNaN(weightingDelta(delta({offset: -1}), 0)[2][0]));
  assert.equal(memoryDelta(delta({offset: 2}))[1][1], b.memory(4)[5] - a.memory(2)[5]);
  assert.ok(memoryDelta(delta({offset: 6})).flatMap((row) => [...row]).every(Number.isNaN));
});

test('a trace differs in nothing from itself', () => {
  const model = {...viewsModel(a), other: {b: a, rows: null, offset: 0, letter: 'B'}};
  assert.ok([...weightingDelta(model, 0), ...memoryDelta(model)].every((row) => row.every((value) => value === 0)));
});

test('the plots of Δ are those of heads that both have, write heads first, centred at zero', () => {
  const specs = deltaPlots(a, b);
  assert.deepEqual(specs.map(({id}) => id), ['delta-output', 'delta-weighting-write-0', 'delta-weighting-read-0', 'delta-adds', 'delta-reads', 'delta-memory']);
  for (const spec of specs) {
    const [heatmap] = spec.figure(delta(), SIZE).traces;
    assert.equal(heatmap.zmin, -heatmap.zmax);
  }
  assert.match(specs.at(-1).read(delta({rows: ROTATED}), 3, 0), /^location 0 · element 3\nΔM = .*\nlocation 1 in B$/);
});

test('Δ of a stage is of the selected head, in the rows of A; a head that B has not leaves it empty', () => {
  const [content, , shifted] = deltaStages();
  const cell = (plot, model, row, step) => plot.cells(model, SIZE).layers[0].rows[row][step];
  const write = {...delta({rows: ROTATED, offset: 1}), head: 1};
  assert.equal(cell(content, write, 4, 2), Math.fround(b.value('content_weighting', 3, 1, 0) - a.value('content_weighting', 2, 1, 4)));
  assert.equal(cell(shifted, delta(), 3, 4), Math.fround(b.value('shifted_weighting', 4, 0, 3) - a.value('shifted_weighting', 4, 0, 3)));
  assert.match(content.read(write, 3, 4), /^t = 3 · location 4 · write 0\nΔw\^c = .*\nlocation 0 in B$/);
  assert.notDeepEqual(content.depends(write), content.depends({...write, head: 0}));
  const two = {...viewsModel(viewsTrace({writers: 2})), head: 2, other: {b, rows: null, offset: 0, letter: 'B'}};
  assert.ok(Number.isNaN(cell(content, two, 0, 0)));
});

test('no text that Plotly draws has attributes, which a picture of the figure cannot be read with', () => {
  for (const plot of [...deltaPlots(a, b), ...deltaStages(), ...stageHeatmaps()]) {
    assert.doesNotMatch(JSON.stringify(plot.figure(delta(), SIZE)), /<\w+ \w+=/, plot.id);
  }
});

test('machines with other numbers of locations cannot be subtracted, and it says so', () => {
  assert.equal(cannotSubtract(a, b), null);
  const wide = {header: {axes: {location: 64}}};
  assert.equal(cannotSubtract(a, wide), 'A has 5 locations and this column 64: they cannot be subtracted.');
});

const full = [{modes: [{name: 'full', interventions: []}]}, {mode: 'full'}];
const matching = (name, difference, rows) => ({name, kind: name.split(' ')[0], offset: null, rows, weighting: 0, memory: 0, difference});
const value = {
  matchings: [matching('identity', 0.5, [0, 1]), matching('rotation by 1', 0.02, [1, 0])], best: 'rotation by 1', not_matched: null,
};

test('the matching is named, with what it gains', () => {
  assert.equal(matchingText({status: 'ready', value}, ...full), 'Rows matched by rotation by 1: relative difference 0.020, 0.500 as they are.');
  assert.equal(matchingText({status: 'ready', value: {...value, best: 'identity'}}, ...full), 'Rows matched by identity: relative difference 0.500.');
  assert.deepEqual(bestMatching({status: 'ready', value}).rows, [1, 0]);
  assert.match(matchingText({status: 'ready', value: {matchings: [], best: null, not_matched: 'A has 2 read heads.'}}, ...full), /as they are: A has 2 read heads\./);
  assert.match(matchingText({status: 'failed', error: {message: 'Too large.'}}, ...full), /Too large/);
});

test('a comparison that is refused is told as the page counts', () => {
  const modes = [{name: 'full', interventions: []}, {name: 'frozen_memory', interventions: [{}, {}]}];
  const error = {message: 'intervention 2: steps is [30, 31], but the run has 9 steps: they end at 9'};
  const told = (run) => matchingText({status: 'failed', error}, {modes}, run);
  assert.equal(told({mode: 'frozen_memory'}), 'Rows as they are: edit 1 is at t = 31, but this episode ends at t = 9');
  assert.match(told({mode: 'full'}), /: edit 3 is at t = 31/);
});

test('what is refused of two runs is the one with edits, the column before A', () => {
  const [plain, edited, other] = [{interventions: []}, {interventions: [{}]}, {interventions: [{}, {}]}];
  assert.deepEqual([refusedRun(plain, edited), refusedRun(edited, plain), refusedRun(other, edited)], [edited, edited, edited]);
});

test('two traces are compared once; others end the waiting', async () => {
  const asked = [];
  const api = {compare: (x, y, offset, signal) => new Promise((resolve) => asked.push({x, y, offset, signal, resolve}))};
  let changes = 0;
  const matcher = new Matcher(api, () => { changes += 1; }, new AbortController().signal);
  const request = (seed) => ({checkpoint: 'one', seed});
  assert.equal(matcher.found(request(0), request(1), 0).status, 'pending');
  matcher.found(request(0), request(1), 0);
  assert.equal(asked.length, 1);
  matcher.found(request(0), request(2), 0);
  assert.equal(asked[0].signal.aborted, true);
  matcher.found(request(0), request(2), 3);
  assert.deepEqual(asked.map(({offset, signal}) => [offset, signal.aborted]), [[0, true], [0, true], [3, false]]);
  asked[0].resolve({best: 'old'});
  asked[2].resolve(value);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(changes, 1);
  assert.equal(matcher.found(request(0), request(2), 3).value.best, 'rotation by 1');
});

test('a comparison is asked for as the contract says; a recording by its id', async () => {
  const calls = [];
  const api = createApi(async (path, init) => {
    calls.push({path, body: JSON.parse(init.body)});
    return Response.json(value);
  });
  const one = {checkpoint: 'copy-lstm', task: null, seed: 3, initial_seed: 0, inputs: null, mode: 'hard', interventions: [], leave_constraints: false};
  await api.compare(one, {...one, checkpoint: 'trace-0123'}, -2, new AbortController().signal);
  assert.deepEqual(calls, [{path: '/api/comparisons', body: {
    a: {trace: {checkpoint: 'copy-lstm', task: null, seed: 3, initial_seed: 0, inputs: null, mode: 'hard'}}, b: {uploaded_trace: 'trace-0123'}, offset: -2,
  }}]);
});
