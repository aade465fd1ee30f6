import assert from 'node:assert/strict';
import {test} from 'node:test';

import {ApiError} from '../../frontend/src/request.js';
import {modelsOf, outputStart, scalesKnown, shownColumns} from '../../frontend/src/compare/align.js';
import {storeOf} from '../../frontend/src/compare/column_card.js';
import {columnPlots} from '../../frontend/src/compare/column_plots.js';
import {deltaPlots} from '../../frontend/src/compare/delta_plots.js';
import {stageHeatmaps} from '../../frontend/src/compare/stage_heatmaps.js';
import {keepColumns} from '../../frontend/src/compare/column_loader.js';
import {addColumn, changeColumn, newColumn, nextChoice, removeColumn, requestOf, retryColumn, withChoices} from '../../frontend/src/compare/columns.js';
import {EMPTY_TRACE, initialState} from '../../frontend/src/state.js';
import {createStore} from '../../frontend/src/store.js';
import {vectorPlot} from '../../frontend/src/views/head_plots.js';
import {fromHash, toHash} from '../../frontend/src/url_state.js';
import {THEME, viewsTrace} from './views_helper.js';

const tasks = [{
  name: 'copy', title: 'Copy', description: '', defaults: {name: 'copy', bits: 8, lengths: [1, 20]},
  settings_schema: {properties: {name: {}}}, input_channels: Array(9).fill(''), output_channels: Array(8).fill(''), phases: [],
}, {
  name: 'recall', title: 'Recall', description: '', defaults: {name: 'recall'}, settings_schema: {properties: {name: {}}},
  input_channels: Array(8).fill(''), output_channels: Array(6).fill(''), phases: [],
}];
const model = (id, input_size = 9, output_size = 8, task = 'copy', source = 'shipped') => (
  {id, name: id, source, config: {input_size, output_size}, task: {name: task}});
const request = {
  checkpoint: 'one', task: {name: 'copy', lengths: [5, 5]}, seed: 3, initial_seed: 0, inputs: null, mode: 'full', interventions: [],
  leave_constraints: false,
};
const choice = (checkpoint, mode = 'full', interventions = []) => ({checkpoint, mode, interventions, leave_constraints: false});

const known = (more = {}) => ({
  ...initialState(), request, tasks,
  checkpoints: [model('one'), model('two'), model('other', 8, 6, 'recall'), model('trace-1', 9, 8, 'copy', 'recorded')], ...more,
});
const ready = (data) => ({...EMPTY_TRACE, status: 'ready', data, received: data.received, end: {wrong_bits: 0, loss_bits: 0, seconds: 0}});
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('a column runs on the episode of the main trace', () => {
  const inputs = [[1, 0, 0, 0, 0, 0, 0, 0, 0]];
  const state = known({request: {...request, inputs}});
  assert.deepEqual(requestOf(state, choice('two', 'hard')), {...request, inputs, checkpoint: 'two', mode: 'hard'});
});

test('changes of the main trace are its own', () => {
  const state = known({request: {...request, mode: 'no_read', interventions: [{quantity: 'key', operation: 'set', value: 0}]}});
  assert.deepEqual(requestOf(state, choice('one')), request);
});

test('a model with other channels runs on its own task with the same seed, without typed rows', () => {
  const state = known({request: {...request, inputs: [[0]]}});
  assert.deepEqual(requestOf(state, choice('other')), {...request, checkpoint: 'other', task: {name: 'recall'}, inputs: null});
});

test('a recording is asked for as it is', () => {
  const asked = requestOf(known(), choice('trace-1', 'hard'));
  assert.deepEqual([asked.checkpoint, asked.task, asked.mode], ['trace-1', null, 'full']);
});

test('a model that is not there is not asked for', () => {
  assert.equal(requestOf(known(), choice('gone')), null);
});

test('the next column is the same model in a mode that is not shown yet, until there is no room', () => {
  const modes = ['full', 'content_only', 'location_only'];
  const state = known();
  assert.equal(nextChoice(state, modes).mode, 'content_only');
  const columns = [newColumn(choice('one', 'content_only'))];
  assert.equal(nextChoice({...state, columns}, modes).mode, 'location_only');
  assert.equal(nextChoice({...state, columns: [...columns, ...columns, ...columns]}, modes), null);
  assert.equal(nextChoice({...state, request: null}, modes), null);
});

test('columns that are wished for again keep their traces', () => {
  const columns = [newColumn(choice('one')), newColumn(choice('two'))];
  assert.equal(withChoices(columns, [choice('one'), choice('two')]), columns);
  const found = withChoices(columns, [choice('two'), choice('other')]);
  assert.equal(found[0], columns[1]);
  assert.equal(found[1].choice.checkpoint, 'other');
});

test('columns and their view survive a round trip through the address, and read well', () => {
  const interventions = [{quantity: 'interpolation_gate', operation: 'set', value: 0.5}];
  const columns = [choice('two', 'content_only'), choice('one', 'full', interventions)].map(newColumn);
  const compare = {...initialState().compare, align: 'delimiter', scales: 'own', rows: 'raw', delta: 'C'};
  const hash = toHash(known({columns, compare}));
  assert.ok(hash.includes("&compare=[{'checkpoint':'two','mode':'content_only'},{"), hash);
  const {compare: place, problems} = fromHash(hash);
  assert.deepEqual(place, {columns: columns.map((column) => column.choice), offsets: [], view: compare, tree: {branches: [], shown: null}, patching: null});
  assert.deepEqual(problems, []);
  assert.ok(!toHash(known()).includes('compare'));
});

for (const part of ['compare={}', 'compare=[7]', 'compare=[{}]', "compare=[{'checkpoint':'../x'}]", "compare=[{'checkpoint':'a','mode':'A'}]",
  "compare=[{'checkpoint':'a','interventions':[{}]}]", `compare=[${Array(4).fill("{'checkpoint':'a'}").join(',')}]`, 'align=x', 'offsets=1,2,3,4', 'offsets=1,2,1e3', 'offsets=0,0,9999999', 'phase=', `phase=${'x'.repeat(101)}`, 'scales=', 'rows=1', 'delta=A']) {
  test(`a hostile part is told of and ignored: ${part.slice(0, 50)}`, () => {
    const place = fromHash(`#${part}`);
    assert.equal(place.problems.length, 1);
    assert.deepEqual(place.compare, fromHash('').compare);
  });
}

/** A loader on a server whose traces the test streams by hand. */
function loading(state) {
  const store = createStore(known(), (notify) => queueMicrotask(notify));
  const streams = [];
  const failures = [];
  const abort = new AbortController();
  const streamTrace = (asked, show, signal) => new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
    streams.push({asked, show, resolve, reject, signal});
  });
  keepColumns({store, api: {streamTrace}, onFailure: (error) => failures.push(error), signal: abort.signal});
  store.set(state);
  return {store, streams, failures};
}

test('columns are asked for after the main trace, and only anew when they are another', async () => {
  const data = viewsTrace();
  const {store, streams} = loading({columns: [newColumn(choice('one', 'hard'))], trace: {...EMPTY_TRACE, status: 'streaming'}});
  await settle();
  assert.equal(streams.length, 0);
  store.set({trace: ready(data)});
  await settle();
  assert.equal(streams[0].asked.mode, 'hard');
  streams[0].show({data});
  assert.equal(store.get().columns[0].trace.status, 'streaming');
  streams[0].resolve({data, end: {wrong_bits: 2, loss_bits: 1, seconds: 0}});
  await settle();
  assert.deepEqual([store.get().columns[0].trace.status, store.get().columns[0].trace.end.wrong_bits], ['ready', 2]);
  store.set({columns: [...store.get().columns, newColumn(choice('two'))]});
  await settle();
  assert.deepEqual(streams.map(({asked}) => asked.checkpoint), ['one', 'two']);
  store.set({request: {...request, seed: 4}});
  await settle();
  assert.equal(streams[1].signal.aborted, true);
  assert.deepEqual(streams.slice(2).map(({asked}) => [asked.checkpoint, asked.seed]), [['one', 4], ['two', 4]]);
});

test('a column that is removed is no longer waited for', async () => {
  const {store, streams} = loading({columns: [newColumn(choice('one'))], trace: ready(viewsTrace())});
  await settle();
  store.set({columns: []});
  await settle();
  assert.equal(streams[0].signal.aborted, true);
  assert.deepEqual(store.get().columns, []);
});

test('a column that fails says why, and is asked for again on demand only', async () => {
  const {store, streams, failures} = loading({columns: [newColumn(choice('one'))], trace: ready(viewsTrace())});
  await settle();
  streams[0].reject(new ApiError({code: 'bad', message: 'No.', status: 422}));
  await settle();
  assert.deepEqual([store.get().columns[0].trace.status, store.get().columns[0].trace.error.message, failures.length], ['failed', 'No.', 1]);
  assert.equal(streams.length, 1);
  store.set({columns: store.get().columns.map((column) => ({...column, attempt: 1}))});
  await settle();
  assert.equal(streams.length, 2);
});

test('a column of a model that the server does not have says so', async () => {
  const {store, streams} = loading({columns: [newColumn(choice('gone'))], trace: ready(viewsTrace())});
  await settle();
  assert.equal(streams.length, 0);
  assert.match(store.get().columns[0].trace.error.message, /no model 'gone'/);
});

test('columns are aligned by step, or by the first step whose output counts', () => {
  const [short, long] = [viewsTrace({steps: 6}), viewsTrace({steps: 10})];
  assert.deepEqual([outputStart(short), outputStart(long)], [3, 5]);
  const column = {...newColumn(choice('two')), trace: ready(long)};
  const state = known({trace: ready(short), columns: [column], step: 4, pinned: 1, zoom: {time: [1, 3], location: null, word: null}});
  assert.deepEqual(shownColumns(state).map(({letter, offset, state: {step}}) => [letter, offset, step]), [['A', 0, 4], ['B', 0, 4]]);
  const [, later] = shownColumns({...state, compare: {...state.compare, align: 'delimiter'}});
  assert.deepEqual([later.offset, later.state.step, later.state.pinned, later.state.zoom.time], [2, 6, 3, [3, 5]]);
});

test('columns are aligned by the first step of a phase, or by offsets of a person', () => {
  const [short, long] = [viewsTrace({steps: 6}), viewsTrace({steps: 10})];
  const columns = [{...newColumn(choice('two')), trace: ready(long)}];
  const state = (view) => known({trace: ready(short), columns, compare: {...initialState().compare, ...view}});
  const offsets = (view) => shownColumns(state(view)).map(({offset, lack}) => [offset, lack]);
  assert.deepEqual(offsets({align: 'phase', phase: 'delimiter'}), [[0, ''], [2, '']]);
  assert.deepEqual(offsets({align: 'phase', phase: 'answer'}), [[0, ''], [0, "no phase 'answer' in A: by step"]]);
  columns[0].offset = -3;
  assert.deepEqual(offsets({align: 'hand'}), [[0, ''], [-3, '']]);
  const {compare} = fromHash(toHash(state({align: 'hand'})));
  assert.deepEqual([compare.view.align, compare.offsets], ['hand', [-3]]);
  assert.deepEqual(withChoices(columns, [choice('one'), choice('two')], [4, -3]).map(({offset}) => offset), [4, -3]);
});

test('columns are aligned by the first content jump of the selected head, or say that there is none', () => {
  const steps = 6;
  const jumping = (at) => {
    const data = viewsTrace({steps});
    const put = (name, step, numbers) => data.at(name, step, 0).set(numbers);
    for (let step = 0; step < steps; step++) {
      put('interpolation_gate', step, [step === at ? 1 : 0]);
      put('shift_weighting', step, [0, 1, 0]);
      const place = Array.from({length: 5}, (_, i) => Number(i === (step < at ? 0 : 3)));
      for (const stage of ['content_weighting', 'gated_weighting', 'shifted_weighting', 'weighting']) put(stage, step, place);
    }
    return data;
  };
  const offsets = (a, b) => {
    const columns = [{...newColumn(choice('two')), trace: ready(b)}];
    const state = known({trace: ready(a), columns, compare: {...initialState().compare, align: 'jump'}});
    return shownColumns(state).map(({offset, lack}) => [offset, lack])[1];
  };
  assert.deepEqual(offsets(jumping(2), jumping(4)), [2, '']);
  assert.deepEqual(offsets(jumping(4), jumping(2)), [-2, '']);
  assert.deepEqual(offsets(jumping(2), jumping(99)), [0, 'no content jump of read 0: by step']);
  assert.deepEqual(offsets(jumping(99), jumping(2)), [0, 'no content jump of read 0 in A: by step']);
});

test('adds and reads share their colour scales too, or have their own', () => {
  const [a, b] = [viewsTrace({seed: 1}), viewsTrace({seed: 9, steps: 10})];
  const state = known({trace: ready(a), columns: [{...newColumn(choice('two')), trace: ready(b)}]});
  const limits = (scales, scale = state.scale) => {
    const asked = {...state, scale, compare: {...state.compare, scales}};
    return modelsOf(shownColumns(asked), asked, THEME).map((model) => ['write', 'read'].map((kind) => vectorPlot(kind).cells(model, {width: 500, height: 200}).layers[0].scale.high));
  };
  const own = limits('own');
  const both = [0, 1].map((kind) => Math.max(own[0][kind], own[1][kind]));
  assert.notDeepEqual(own[0], own[1]);
  assert.deepEqual(limits('shared'), [both, both]);
  assert.deepEqual(limits('shared', {...state.scale, memory: 'fixed'}), [[1, 1], [1, 1]]);
});

test('memories share one colour scale, or have their own', () => {
  const [a, b] = [viewsTrace({seed: 1}), viewsTrace({seed: 9, steps: 10})];
  const state = known({trace: ready(a), columns: [{...newColumn(choice('two')), trace: ready(b)}]});
  const limits = (view) => {
    const asked = {...state, compare: {...state.compare, scales: view}};
    const shown = shownColumns(asked);
    for (;;) {
      const models = modelsOf(shown, asked, THEME);
      if (scalesKnown(shown)) return models.map(({memoryLimit}) => memoryLimit);
    }
  };
  const own = limits('own');
  assert.notEqual(own[0], own[1]);
  assert.deepEqual(limits('shared'), [Math.max(...own), Math.max(...own)]);
});

test('the plots of a column set step and zoom of the page as the main trace counts them', () => {
  const [short, long] = [viewsTrace({steps: 6}), viewsTrace({steps: 10})];
  const store = createStore(known({
    trace: ready(short), columns: [{...newColumn(choice('two')), trace: ready(long)}], compare: {...initialState().compare, align: 'delimiter'},
  }), () => {});
  const theirs = storeOf('B', store);
  assert.equal(theirs.get().trace.data, long);
  theirs.set({step: 6, head: 1});
  assert.deepEqual([store.get().step, store.get().head, theirs.get().step], [4, 1, 6]);
  theirs.set({zoom: {time: [3, 5], location: [0, 2], word: null}});
  assert.deepEqual(store.get().zoom, {time: [1, 3], location: [0, 2], word: null});
  for (const [asked, step] of [[0, 0], [9, 5]]) {
    theirs.set({step: asked});
    assert.equal(store.get().step, step, 'held within the main trace');
  }
  assert.equal(storeOf('A', store).get().step, 5);
});

test('heads of columns are known by their names', () => {
  const [two, three] = [viewsTrace(), viewsTrace({writers: 2})];
  three.header.heads.unshift(three.header.heads.pop());  // write 1, read 0, write 0
  const store = createStore(known({trace: ready(two), columns: [{...newColumn(choice('two')), trace: ready(three)}], head: 1}), () => {});
  const theirs = storeOf('B', store);
  assert.deepEqual([theirs.get().head, shownColumns({...store.get(), head: 0})[1].state.head], [2, 1]);
  theirs.set({head: 1});
  assert.equal(store.get().head, 0, 'read 0 in both');
  theirs.set({head: 0});
  assert.equal(store.get().head, 0, 'A has no write 1');
});

test('a step that has not arrived yet is sought from a column too, as the main trace counts', () => {
  const [main, other] = [viewsTrace({steps: 12, received: 5}), viewsTrace({steps: 14, received: 3})];
  const column = {...newColumn(choice('two')), trace: {...ready(other), status: 'streaming'}, offset: 2};
  const store = createStore(known({
    trace: {...ready(main), status: 'streaming'}, columns: [column], compare: {...initialState().compare, align: 'hand'},
  }), () => {});
  storeOf('B', store).set({step: 2, sought: 11});
  assert.deepEqual([store.get().step, store.get().sought], [4, 9]);
});

test('what is sought in the main trace is sought in a column as that counts, and a look at a plot there leaves it', () => {
  const [main, other] = [viewsTrace({steps: 12, received: 5}), viewsTrace({steps: 14})];
  const store = createStore(known({
    trace: {...ready(main), status: 'streaming'}, columns: [{...newColumn(choice('two')), trace: ready(other), offset: 2}],
    compare: {...initialState().compare, align: 'hand'}, step: 4, sought: 9,
  }), () => {});
  const theirs = storeOf('B', store);
  assert.deepEqual([theirs.get().step, theirs.get().sought], [6, 11]);
  const {step, sought} = theirs.get();
  theirs.set({step: 3, sought: null});
  theirs.set({step, sought});
  assert.deepEqual([store.get().step, store.get().sought], [4, 9]);
});

test('without a main trace a column does not move the cursor by its own count', () => {
  const store = createStore(known({trace: {...EMPTY_TRACE, status: 'failed'}, columns: [{...newColumn(choice('two')), trace: ready(viewsTrace({steps: 14}))}], step: 4}), () => {});
  storeOf('B', store).set({step: 9, sought: 11});
  assert.deepEqual([store.get().step, store.get().sought], [4, null]);
});

test('another model drops edits, since they name heads; another mode keeps them; trying again counts', () => {
  const column = newColumn(choice('one', 'hard', [{quantity: 'key', operation: 'set', value: 0}]));
  const state = known({columns: [column]});
  const changed = (patch) => changeColumn(state, column.id, patch).columns[0].choice;
  assert.deepEqual([changed({checkpoint: 'two'}).interventions, changed({checkpoint: 'two'}).mode], [[], 'hard']);
  assert.equal(changed({mode: 'no_read'}).interventions.length, 1);
  assert.equal(retryColumn(state, column.id).columns[0].attempt, 1);
  assert.deepEqual(removeColumn(state, column.id).columns, []);
  assert.deepEqual(changeColumn(state, -1, {mode: 'full'}), {});
});

test('an edited model stands beside itself as it is', () => {
  const state = known({request: {...request, interventions: [{quantity: 'key', operation: 'set', value: 0}]}, modes: [{name: 'full'}, {name: 'hard'}]});
  assert.deepEqual(addColumn(state).columns[0].choice, choice('one', 'full'));
});

test('captions of columns have room in the narrowest column', () => {
  const data = viewsTrace();
  const plots = [...columnPlots('A', data.header), ...deltaPlots(data, data), ...stageHeatmaps()];
  assert.deepEqual(plots.filter(({caption}) => caption.length > 48).map(({id}) => id), []);
});
