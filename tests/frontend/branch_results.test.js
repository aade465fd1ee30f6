import assert from 'node:assert/strict';
import {test} from 'node:test';

import {ApiError} from '../../frontend/src/request.js';
import {BranchResults} from '../../frontend/src/branches/results.js';
import {NO_BRANCHES, runOf, withChild, withRoot} from '../../frontend/src/branches/tree.js';
import {newColumn, requestOf} from '../../frontend/src/compare/columns.js';
import {EMPTY_TRACE, initialState} from '../../frontend/src/state.js';
import {createStore} from '../../frontend/src/store.js';
import {viewsTrace} from './views_helper.js';

const DATA = viewsTrace();
const trace = (wrong_bits) => ({...EMPTY_TRACE, status: 'ready', data: DATA, received: 6, end: {wrong_bits, loss_bits: 0, seconds: 0}});
const gate = (value) => ({quantity: 'interpolation_gate', operation: 'set', heads: ['read 0'], steps: [2, 3], value});

/** Root 1 with children 2 and 3; 3 is the main trace. */
function family() {
  const run = {checkpoint: 'one', mode: 'full', interventions: [], leave_constraints: false};
  let {tree} = withRoot(NO_BRANCHES, run, 'root');
  for (const value of [0.2, 0.3]) ({tree} = withChild(tree, 1, 2, {interventions: [gate(value)]}));
  return {...tree, shown: 3};
}

function page(more = {}) {
  const tree = family();
  const summary = {id: 'one', name: 'one', source: 'shipped', config: {input_size: 3, output_size: 2}, task: {name: 'copy'}};
  return {
    ...initialState(), tree, tasks: [], checkpoints: [summary],
    request: {...runOf(tree, 3), task: {name: 'copy'}, seed: 0, initial_seed: 0, inputs: null}, trace: trace(1), ...more,
  };
}

/** The results on a server whose runs the test ends by hand; `late`: made when the state is what it is already. */
function asking(state, {late = false} = {}) {
  const store = createStore(late ? state : initialState(), (notify) => queueMicrotask(notify));
  const streams = [];
  const abort = new AbortController();
  let changes = 0;
  const streamTrace = (request, _, signal) => new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
    streams.push({request, resolve, reject, signal});
  });
  const results = new BranchResults({store, api: {streamTrace}, changed: () => { changes += 1; }, signal: abort.signal, rest: 0});
  store.set(state);
  const text = (id) => results.of(store.get(), id)?.text.replace(/ wrong.*/, '');
  return {store, streams, text, abort, count: () => changes};
}
/** Timers of one length run in the order in which they were set: after three, that of the rest has run. */
const later = async () => {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
};
const end = (stream, wrong_bits) => stream.resolve({data: DATA, end: {wrong_bits, loss_bits: 0, seconds: 0}});

test('at rest the runs of branches that are not known are asked for, one at a time', async () => {
  const {store, streams, text, count} = asking(page());
  await later();
  assert.equal(text(3), '1 / 6', 'the main trace is known at once');
  assert.deepEqual(streams.map(({request}) => request.interventions), [[]]);
  end(streams[0], 2);
  await later();
  assert.equal(text(1), '2 / 6');
  assert.deepEqual(streams[1].request, requestOf(store.get(), {branch: 2}));
  end(streams[1], 3);
  await later();
  assert.deepEqual([1, 2, 3].map(text), ['2 / 6', '3 / 6', '1 / 6']);
  assert.deepEqual([streams.length, count()], [2, 3]);
});

test('what is made after the page has come to rest hears of it', async () => {
  const {streams, text} = asking(page(), {late: true});
  assert.equal(text(3), '1 / 6');
  await later();
  assert.equal(streams.length, 1);
  end(streams[0], 2);
  await later();
  assert.equal(text(1), '2 / 6');
});

test('whatever else is asked or moved stops the run that nobody sees, which is asked for at the next rest', async () => {
  for (const patch of [{step: 3}, {playing: true}, {columns: [newColumn({branch: 2})]}, {trace: {...trace(1), status: 'streaming'}}]) {
    const {store, streams, abort} = asking(page());
    await later();
    store.set(patch);
    await later();
    assert.equal(streams[0].signal.aborted, true, JSON.stringify(Object.keys(patch)));
    assert.equal(streams.length, 'step' in patch ? 2 : 1);
    abort.abort();
  }
});

test('a column that still shows what was asked before is not taken for the new run', async () => {
  const {store, text} = asking(page({columns: [{...newColumn({branch: 2}), trace: trace(4)}]}));
  await later();
  assert.equal(text(2), '4 / 6');
  store.set({request: {...store.get().request, seed: 9}, trace: {...trace(1), status: 'pending'}});
  await later();
  assert.equal(text(2), undefined);
});

test('a run that is refused says why; a server that is away leaves it unknown until the next rest', async () => {
  const {store, streams, text} = asking(page());
  await later();
  streams[0].reject(new ApiError({code: 'unreachable', message: 'away', status: 0}));
  await later();
  assert.deepEqual([text(1), streams.length], [undefined, 1]);
  store.set({step: 1});
  await later();
  streams[1].reject(new ApiError({code: 'constraint', message: 'g is 7', status: 422}));
  await later();
  assert.deepEqual([text(1), streams.length], ['g is 7', 3]);
});

test('nothing is asked without branches, or when all are known', async () => {
  const {streams} = asking(page({tree: NO_BRANCHES}));
  const all = asking(page({columns: [1, 2].map((branch) => ({...newColumn({branch}), trace: trace(0)}))}));
  await later();
  assert.deepEqual([streams.length, all.streams.length], [0, 0]);
});
