import assert from 'node:assert/strict';
import {test} from 'node:test';

import {createApi} from '../../frontend/src/api.js';
import {pathTo, runOf, withChild, withRoot, NO_BRANCHES} from '../../frontend/src/branches/tree.js';
import {newColumn} from '../../frontend/src/compare/columns.js';
import {patchAsked, patchBody, patchFrom, patchParts} from '../../frontend/src/patching/asked.js';
import {patchedFork} from '../../frontend/src/patching/fork.js';
import {mapRows, patchPlot, readCell} from '../../frontend/src/patching/plot.js';
import {initialState} from '../../frontend/src/state.js';
import {fromHash, toHash} from '../../frontend/src/url_state.js';
import {SIZE, viewsModel, viewsTrace} from './views_helper.js';

const run = (more = {}) => ({checkpoint: 'one', mode: 'full', interventions: [], leave_constraints: false, ...more});
const episode = {task: {name: 'copy', lengths: [2, 2]}, seed: 3, initial_seed: 0, inputs: null};
const request = {...run(), ...episode};
const summary = (id) => ({id, name: id, source: id.startsWith('trace-') ? 'recorded' : 'shipped', config: {input_size: 9, output_size: 8}, task: {name: 'copy'}});
const known = (more = {}) => ({
  ...initialState(), request, tasks: [], modes: [],
  checkpoints: ['one', 'two', 'trace-1'].map(summary), ...more,
});
const view = (more = {}) => ({corrupted: 'B', seed: 0, quantity: 'all', steps: null, ...more});
const row = (quantity, head_name, restored = [], loss = restored) => ({quantity, head: 0, head_name, restored, loss});

test('A is the clean run, a column the corrupted one', () => {
  const state = known({columns: [newColumn(run({mode: 'no_shift'}))]});
  assert.deepEqual(patchAsked(state, view()), {clean: request, corrupted: {...request, mode: 'no_shift'}, quantity: 'all', steps: null});
  assert.equal(patchAsked(state, view({corrupted: 'C'})), 'There is no column C.');
  assert.match(patchAsked(known({columns: [newColumn(run({checkpoint: 'trace-1'}))]}), view()), /recording/);
});

test("or A's machine on another episode, which must be another", () => {
  const state = known({request: {...request, inputs: [[1]]}});
  assert.deepEqual(patchAsked(state, view({corrupted: 'seed', seed: 3})).corrupted, request, 'typed rows are no episode of a seed');
  assert.match(patchAsked(known(), view({corrupted: 'seed', seed: 3})), /Seed 3 is that of A/);
});

test('the server is asked for one quantity or all, at some steps or all', () => {
  const asked = {clean: request, corrupted: {...request, seed: 4}, quantity: 'all', steps: null};
  assert.deepEqual(Object.keys(patchBody(asked)), ['clean', 'corrupted']);
  const {quantities, steps} = patchBody({...asked, quantity: 'weighting', steps: [2, 5]});
  assert.deepEqual([quantities, steps], [['weighting'], [2, 5]]);
});

test('what is patched survives the address', () => {
  for (const one of [view(), view({corrupted: 'seed', seed: 12, quantity: 'memory', steps: [2, 5]})]) {
    assert.deepEqual(fromHash(toHash(known({patching: one}))).compare.patching, one);
  }
  assert.deepEqual(patchParts(view({steps: [2, 5]})), {patch: 'B,all,3-5'});
  assert.deepEqual(patchParts(null), {});
});

for (const text of ['', 'A,all', 'B', 'B,all,', 'B,weights', 'B,all,0-3', 'B,all,5-3', 'seed--1,all', 'seed-4294967296,all', 'seed-1e3,all', 'B,all,1-2,3', 'B,__proto__']) {
  test(`a link that patches '${text}' is told about and not used`, () => {
    assert.equal(patchFrom(text), null);
    assert.equal(fromHash(`#patch=${text}`).problems.length, 1);
  });
}

const map = {loss_clean: 1, loss_corrupted: 9, steps: [1, 3], rows: [row('weighting', 'read 0', [0.25, null], [7, null]), row('memory', null, [-3, 0.5], [33, 5])]};

test('a map lies along the steps of the episode, empty where nothing was patched', () => {
  assert.deepEqual(mapRows(map, 4).map((values) => [...values]), [[NaN, 0.25, NaN, NaN], [NaN, -3, 0.5, NaN]]);
});

test('a cell is read in as many digits as two runs in float32 can tell', () => {
  assert.equal(readCell(map, 1, 1), 't = 2 · memory found\nrestores −3.000\nloss 33.00 bits\ncorrupted 9.000, clean 1.000 bits');
  assert.equal(readCell(map, 0, 2), 't = 3 · weighting of read 0\nthe patched run gives no number');
  assert.equal(readCell(map, 0, 0), 't = 1 · weighting of read 0\nnot patched');
  assert.equal(readCell(map, 2, 0), null);
});

test('its colours are centred at zero and end at the largest share, at ±1 at most', () => {
  const model = viewsModel(viewsTrace());
  const ends = (one) => patchPlot(one, 6).figure(model, SIZE).traces[0];
  assert.deepEqual([ends(map).zmin, ends(map).zmax], [-1, 1]);
  const faint = {...map, rows: [row('weighting', 'read 0', [0.148, -0.02])]};
  assert.deepEqual([ends(faint).zmin, ends(faint).zmax], [-0.15, 0.15]);
});

test('a cell becomes a branch of the corrupted run that takes from the clean one, on the same episode', () => {
  const state = known({request: {...request, mode: 'hard'}, columns: [{...newColumn(run({checkpoint: 'two'})), offset: 2}]});
  const asked = patchAsked(state, view());
  const {tree, request: shown, columns} = patchedFork(state, asked, row('weighting', 'read 0'), 4);
  assert.deepEqual(shown.interventions, [{quantity: 'weighting', operation: 'take', source: 'clean', heads: ['read 0'], steps: [4, 5]}]);
  assert.deepEqual(shown.sources, {clean: {...run({mode: 'hard'}), seed: null}});
  assert.deepEqual([shown.checkpoint, shown.mode, shown.seed], ['two', 'full', 3]);
  assert.deepEqual(runOf(tree, tree.shown).interventions, shown.interventions);
  assert.deepEqual(pathTo(tree, tree.shown).map(({name, step}) => [name, step]), [['two', 0], ['weighting of read 0, t = 5', 4]]);
  assert.deepEqual(columns.map(({choice, offset}) => [choice, offset]), [[{branch: 1}, 2]], 'its column is that of the branch now');
});

test('a cell of another seed moves the page to that episode, and takes from the one before', () => {
  const asked = patchAsked(known(), view({corrupted: 'seed', seed: 8}));
  const {request: shown, columns, tree} = patchedFork(known(), asked, row('memory', null), 0);
  assert.deepEqual([shown.seed, shown.sources.clean.seed], [8, 3]);
  assert.equal('heads' in shown.interventions[0], false);
  assert.deepEqual(columns.map(({choice}) => choice), [{branch: 1}]);
  const again = patchedFork(known({tree, columns, request: shown}), asked, row('memory', null), 1);
  assert.deepEqual(again.tree.branches.map(({parent}) => parent), [null, 1, 1], 'a second patch is of the same run');
});

test('a run that was patched is patched once more from the same source, or from another under another name', () => {
  const source = {checkpoint: 'one', seed: null, mode: 'full', interventions: [], leave_constraints: false};
  const take = {quantity: 'key', operation: 'take', source: 'clean', steps: [1, 2]};
  const {tree} = withChild(withRoot(NO_BRANCHES, run({checkpoint: 'two'}), 'two').tree, 1, 1, {interventions: [take], sources: {clean: source}});
  const of = (clean) => {
    const asked = {clean: {...request, ...clean}, corrupted: {...episode, ...runOf(tree, 2)}, quantity: 'all', steps: null};
    return patchedFork(known({tree}), asked, row('memory', null), 0).request;
  };
  assert.deepEqual(Object.keys(of({}).sources), ['clean']);
  assert.deepEqual(Object.keys(of({mode: 'hard'}).sources), ['clean', 'clean 2']);
});

test('what cannot be taken from says why', () => {
  const asked = patchAsked(known(), view({corrupted: 'seed', seed: 8}));
  const why = (more) => patchedFork(known(), {...asked, clean: {...request, ...more}}, row('memory', null), 0);
  assert.match(why({sources: {x: {}}}), /takes from another run itself/);
  assert.match(why({inputs: [[1]]}), /was typed/);
});

test('the map is asked for with progress, and its end closes the connection', async () => {
  const seen = [];
  const abort = new AbortController();
  const lines = '{"progress":{"done":1,"total":4}}\n{"result":{"rows":[]}}\n';
  const api = createApi(async (path, init) => {
    seen.push([path, init.signal === abort.signal]);
    return new Response(lines);
  });
  assert.deepEqual(await api.patch({}, (progress) => seen.push(progress), abort.signal), {rows: []});
  assert.deepEqual(seen, [['/api/patching', true], {done: 1, total: 4}]);
});
