import assert from 'node:assert/strict';
import {beforeEach, mock, test} from 'node:test';

import {createActions} from '../../frontend/src/actions.js';
import {moveTo} from '../../frontend/src/cursor.js';
import {ApiError} from '../../frontend/src/request.js';
import {initialState} from '../../frontend/src/state.js';
import {createStore} from '../../frontend/src/store.js';
import {TraceData} from '../../frontend/src/trace_data.js';
import {viewWithin} from '../../frontend/src/trace_loader.js';
import {fromHash, toHash} from '../../frontend/src/url_state.js';
import {exampleHeader} from './wire_helper.js';

const tasks = [{
  name: 'copy', title: 'Copy', description: '', defaults: {name: 'copy', bits: 8, lengths: [1, 20]}, settings_schema: {properties: {
    name: {}, bits: {type: 'integer'}, lengths: {type: 'array', prefixItems: [{type: 'integer'}, {type: 'integer'}]},
  }}, input_channels: Array(9).fill(''), output_channels: Array(8).fill(''), phases: [],
}];
const summary = (id, source = 'shipped') => ({
  id, name: id, source, config: {input_size: 9, output_size: 8}, task: {name: 'copy', bits: 8, lengths: [1, 20]}, choices: [],
});

const lists = {checkpoints: [summary('first'), summary('second')], tasks, modes: [{name: 'full'}, {name: 'content_only'}]};

/** The actions on a server whose traces the test streams by hand. */
function example(answers = {}) {
  const store = createStore(initialState(), (notify) => queueMicrotask(notify));
  const streams = [];
  const events = {tell: null};
  const abort = new AbortController();
  const api = {
    checkpoints: async () => lists.checkpoints,
    recordings: async () => [],
    watchRuns: (hear) => { events.tell = hear; },
    detail: async (id) => ({...summary(id), card: ''}),
    version: async () => ({limits: {max_upload_bytes: 1000}}),
    remove: async () => {},
    upload: async () => summary('upload-1', 'uploaded'),
    streamTrace: (request, show, signal) => new Promise((resolve, reject) => {
      const data = new TraceData(exampleHeader({steps: 40}));
      signal.addEventListener('abort', () => reject(signal.reason));
      streams.push({
        request,
        signal,
        arrive(received) {
          data.received = received;
          show({data});
        },
        finish() {
          this.arrive(40);
          resolve({data, end: {wrong_bits: 0, loss_bits: 0.1, seconds: 1}});
        },
        fail: reject,
      });
    }),
    ...answers,
  };
  const actions = createActions({store, api, signal: abort.signal});
  return {store, streams, actions, abort, events};
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => mock.timers.reset());

test('it starts with the first checkpoint, on its task at its longest', async () => {
  const {store, streams, actions} = example();
  actions.start(fromHash(''), lists);
  assert.deepEqual(streams[0].request, {checkpoint: 'first', task: {name: 'copy', bits: 8, lengths: [20, 20]}, seed: 0, initial_seed: 0, inputs: null, mode: 'full', interventions: [], leave_constraints: false});
  assert.equal(store.get().trace.status, 'pending');
  streams[0].finish();
  await settle();
  assert.equal(store.get().trace.status, 'ready');
  assert.equal(store.get().trace.end.wrong_bits, 0);
  assert.equal(store.get().detail.value.id, 'first');
});

test('the view of a link follows the stream to its step, its pin, and no further', async () => {
  const {store, streams, actions} = example();
  actions.start(fromHash('#checkpoint=second&t=21&pin=11&diff=1&head=9&loop=5-99'), lists);
  streams[0].arrive(1);
  const {step, pinned, diff, head, loop} = store.get();
  assert.deepEqual({step, pinned, diff, head, loop}, {step: 0, pinned: null, diff: false, head: 2, loop: [4, 39]});
  assert.match(toHash(store.get()), /&t=21&/, 'the address keeps the step that is sought');
  streams[0].arrive(12);
  assert.deepEqual([store.get().step, store.get().pinned, store.get().diff], [11, 10, true]);
  streams[0].finish();
  await settle();
  assert.deepEqual([store.get().step, store.get().sought, store.get().pinned], [20, null, 10]);
});

test('a step that is sought in one trace is sought in the next, and no longer once that has failed', async () => {
  const {store, streams, actions} = example();
  actions.start(fromHash('#t=30'), lists);
  streams[0].arrive(10);
  assert.deepEqual([store.get().step, store.get().sought], [9, 29]);
  actions.change({seed: 1});
  streams[1].arrive(20);
  assert.deepEqual([store.get().step, store.get().sought], [19, 29]);
  streams[1].fail(new ApiError({code: 'bad_stream', message: 'no', status: 200}));
  await settle();
  assert.deepEqual([store.get().step, store.get().sought], [29, null]);
  actions.retry();
  streams[2].arrive(10);
  assert.deepEqual([store.get().step, store.get().sought], [9, 29]);
});

test('a step far ahead in a long trace is asked for by itself, with the request of the trace', async () => {
  mock.timers.enable({apis: ['setTimeout']});
  const asked = [];
  const data = new TraceData({...exampleHeader({steps: 9999}), core: 'compiled'});
  const {store, actions} = example({streamTrace: (request, show, signal, part = null) => {
    asked.push({request, part, show, signal});
    return new Promise((_, reject) => { signal.addEventListener('abort', () => reject(signal.reason)); });
  }});
  actions.start(fromHash('#t=9000&seed=7'), lists);
  data.received = 50;
  asked[0].show({data});
  mock.timers.tick(200);
  await settle();
  assert.deepEqual(asked.map(({request, part}) => [request.seed, part !== null]), [[7, false], [7, true]]);
  assert.ok(asked[1].part.first < 8999);
  assert.equal(store.get().sought, 8999);
  actions.change({seed: 8});
  await settle();
  assert.deepEqual(asked.map(({signal}) => signal.aborted), [true, true, false]);
});

test('a person who moves the cursor during the stream is not moved again', async () => {
  const {store, streams, actions} = example();
  actions.start(fromHash('#t=30'), lists);
  streams[0].arrive(10);
  store.set(moveTo(store.get(), 3));
  streams[0].finish();
  await settle();
  assert.equal(store.get().step, 3);
});

test('only the latest trace wins', async () => {
  const {store, streams, actions} = example();
  actions.start(fromHash(''), lists);
  actions.change({seed: 1});
  actions.change({seed: 2});
  assert.deepEqual(streams.map(({signal}) => signal.aborted), [true, true, false]);
  streams[2].finish();
  await settle();
  assert.equal(store.get().request.seed, 2);
  assert.equal(store.get().trace.status, 'ready');
});

test('the trace on screen stays while the next one is on its way, and leaves if that fails', async () => {
  const {store, streams, actions} = example();
  actions.start(fromHash(''), lists);
  streams[0].finish();
  await settle();
  const {data} = store.get().trace;
  actions.change({seed: 1});
  assert.deepEqual([store.get().trace.status, store.get().trace.data], ['pending', data]);
  streams[1].fail(new ApiError({code: 'bad_task', message: 'no', status: 422}));
  await settle();
  assert.deepEqual([store.get().trace.status, store.get().trace.data, store.get().trace.error.code], ['failed', null, 'bad_task']);
  assert.equal(store.get().offline, false);
});

test('where there are edits the run on screen stays until another episode is there, and if that is refused', async () => {
  const {store, streams, actions} = example();
  const edits = [{quantity: 'sharpening', operation: 'set', heads: ['read 0'], steps: [30, 31], value: 2}];
  actions.start(fromHash(''), lists);
  actions.intervene({interventions: edits});
  streams[1].finish();
  await settle();
  const {data} = store.get().trace;
  const {task} = store.get().request;
  actions.change({task: {name: 'copy', bits: 8, lengths: [4, 4]}, inputs: null});
  assert.equal(store.get().trace.data, data);
  streams[2].fail(new ApiError({code: 'bad_intervention', message: 'intervention 0: steps is [30, 31], but the run has 9 steps: they end at 9', status: 422}));
  await settle();
  const {trace, request} = store.get();
  assert.deepEqual([trace.status, trace.data, trace.refused.error.code], ['ready', data, 'bad_intervention']);
  assert.deepEqual([request.task, request.interventions], [task, edits]);
});

test('a busy server is asked again when it says so', async () => {
  mock.timers.enable({apis: ['setTimeout', 'Date'], now: 1000});
  const {store, streams, actions} = example();
  actions.start(fromHash(''), lists);
  streams[0].fail(new ApiError({code: 'busy', message: 'busy', status: 503}, 3));
  await settle();
  assert.deepEqual([store.get().trace.status, store.get().trace.retry_at], ['pending', 4000]);
  mock.timers.tick(2999);
  await settle();
  assert.equal(streams.length, 1);
  mock.timers.tick(1);
  await settle();
  assert.equal(streams.length, 2);
  assert.equal(store.get().trace.retry_at, null);
  streams[1].finish();
  await settle();
  assert.equal(store.get().trace.status, 'ready');
});

test('a new request ends the waiting for a busy server', async () => {
  mock.timers.enable({apis: ['setTimeout', 'Date']});
  const {streams, actions} = example();
  actions.start(fromHash(''), lists);
  streams[0].fail(new ApiError({code: 'busy', message: 'busy', status: 503}, 3));
  await settle();
  actions.change({seed: 5});
  mock.timers.tick(10_000);
  await settle();
  assert.deepEqual(streams.map(({request}) => request.seed), [0, 5]);
});

test('a server that is gone is looked for, and what failed is asked again when it is back', async () => {
  mock.timers.enable({apis: ['setTimeout']});
  globalThis.document = {hidden: false};
  let gone = true;
  const {store, streams, actions} = example({
    version: async () => {
      if (gone) throw new ApiError({code: 'server_gone', message: 'gone'});
    },
  });
  actions.start(fromHash(''), lists);
  streams[0].fail(new ApiError({code: 'server_gone', message: 'gone'}));
  await settle();
  assert.deepEqual([store.get().offline, store.get().trace.status], [true, 'failed']);
  mock.timers.tick(4000);
  await settle();
  assert.equal(store.get().offline, true);
  gone = false;
  mock.timers.tick(4000);
  await settle();
  assert.deepEqual([store.get().offline, streams.length], [false, 2]);
  delete globalThis.document;
});

test('an unknown checkpoint in a link gives the default and a notice', async () => {
  const {store, streams, actions} = example();
  actions.start(fromHash('#checkpoint=upload-123&bogus=1'), lists);
  assert.equal(streams[0].request.checkpoint, 'first');
  assert.deepEqual(store.get().notices.map(({level}) => level), ['warn', 'warn']);
  assert.match(store.get().notices[1].text, /'upload-123', which this server does not have/);
});

test('a step beyond the run of a link is told once that is there', async () => {
  const {store, streams, actions} = example();
  actions.start(fromHash('#t=99'), lists);
  assert.equal(store.get().notices.length, 0);
  streams[0].finish();
  await settle();
  assert.deepEqual([store.get().step, store.get().notices[0].text], [39, 'The link says t = 99, but this run ends at t = 40.']);
  actions.openPlace(fromHash('#checkpoint=first&t=77&seed=1'));
  actions.change({seed: 2});
  streams[2].finish();
  await settle();
  assert.ok(!store.get().notices.some(({text}) => text.includes('77')), 'a link that was left is not told of');
});

test('a model that another tab has deleted gives way to the first, with a notice', async () => {
  const {store, streams, actions} = example({checkpoints: async () => [summary('first')]});
  actions.start(fromHash('#checkpoint=second'), lists);
  streams[0].finish();
  await settle();
  actions.change({seed: 1});
  streams[1].fail(new ApiError({code: 'unknown_checkpoint', message: 'there is no checkpoint', status: 404}));
  await settle();
  assert.deepEqual([streams[2].request.checkpoint, streams[2].request.seed], ['first', 1]);
  assert.deepEqual(store.get().notices.map(({text}) => text), ["'second' is no longer on this server; 'first' is shown."]);
  streams[2].finish();
  await settle();
  assert.equal(store.get().trace.status, 'ready');
});

test('a trace that is not found of a model that is still there is told as any other', async () => {
  const {store, streams, actions} = example();
  actions.start(fromHash(''), lists);
  streams[0].fail(new ApiError({code: 'not_found', message: 'no', status: 404}));
  await settle();
  assert.deepEqual([store.get().trace.status, store.get().notices, streams.length], ['failed', [], 1]);
});

test('the same place again moves the cursor and runs nothing', async () => {
  const {store, streams, actions} = example();
  actions.start(fromHash('#t=1'), lists);
  streams[0].finish();
  await settle();
  actions.openPlace(fromHash('#checkpoint=first&t=9'));
  assert.deepEqual([store.get().step, streams.length], [8, 1]);
  actions.openPlace(fromHash('#checkpoint=first&t=9&seed=1'));
  assert.equal(streams.length, 2);
});

test('an upload shows its progress, joins the list and is chosen', async () => {
  const seen = [];
  const {store, streams, actions} = example({
    upload: async (file, wishes, onProgress) => {
      onProgress(50, 100);
      seen.push(store.get().upload);
      onProgress(100, 100);
      seen.push(store.get().upload);
      return summary('upload-1', 'uploaded');
    },
  });
  actions.start(fromHash(''), lists);
  await actions.upload({name: 'mine.safetensors', size: 100});
  assert.deepEqual(seen.map(({status, sent}) => [status, sent]), [['sending', 50], ['checking', 100]]);
  assert.equal(store.get().upload, null);
  assert.deepEqual(store.get().checkpoints.map(({id}) => id), ['first', 'second', 'upload-1']);
  assert.equal(streams.at(-1).request.checkpoint, 'upload-1');
});

test("a bad upload is told in the server's words and changes nothing else", async () => {
  const {store, streams, actions} = example({
    upload: async () => {
      throw new ApiError({code: 'not_safetensors', message: 'header length 12 exceeds the file', status: 422});
    },
  });
  actions.start(fromHash(''), lists);
  await actions.upload({name: 'bad.bin', size: 12});
  assert.deepEqual([store.get().upload.status, store.get().upload.error.message], ['failed', 'header length 12 exceeds the file']);
  assert.equal(streams.length, 1);
});

test('a file that leaves something open is asked about, and opens with the answers', async () => {
  const questions = [{name: 'memory_size', text: 'How many locations?', default: null, minimum: 1, maximum: 65536}];
  const {store, streams, actions} = example({
    upload: async (file, wishes) => {
      if (wishes?.answers.memory_size === 64) return summary('upload-1', 'uploaded');
      throw new ApiError({code: 'unanswered', message: 'answer: memory_size', status: 422, questions});
    },
  });
  actions.start(fromHash(''), lists);
  const file = {name: 'theirs.pt', size: 12};
  await actions.upload(file);
  const {status, error, file: kept} = store.get().upload;
  assert.deepEqual([status, error.questions, kept], ['asking', questions, file]);
  await actions.upload(kept, {answers: {memory_size: 64}});
  assert.equal(store.get().upload, null);
  assert.equal(streams.at(-1).request.checkpoint, 'upload-1');
});

test('a recording of another program joins the list and is asked for without a task', async () => {
  const recorded = {...summary('trace-1', 'recorded'), task: {name: 'copy'}};
  const {store, streams, actions} = example();
  actions.start(fromHash('#checkpoint=trace-1'), {...lists, checkpoints: [...lists.checkpoints, recorded]});
  assert.deepEqual(store.get().checkpoints.map(({id}) => id), ['first', 'second', 'trace-1']);
  assert.deepEqual([streams[0].request.task, store.get().detail], [null, null]);
});

test('a file is read again as wished, and runs at once', async () => {
  const wished = [];
  const {store, streams, actions} = example({
    importAgain: async (id, wishes) => {
      wished.push([id, wishes]);
      return {...summary('first', 'uploaded'), name: 'again', card: ''};
    },
  });
  actions.start(fromHash(''), lists);
  await actions.importAgain({variant: 'other'});
  assert.deepEqual(wished, [['first', {variant: 'other'}]]);
  assert.deepEqual([store.get().detail.value.name, store.get().checkpoints[0].name], ['again', 'again']);
  assert.equal(streams.length, 2);
});

const RUN = {
  id: 'run-0123abcd', name: 'mine', status: 'running', message: null, place: null, series: [0, 1, 2], checkpoint: true,
  progress: {iteration: 3, last_iteration: 9, marks: {diagonal: null, content_jump: null, converged: null}, live: 3, loss_bits: 1, row: null},
};

test('a run that was started here is shown as soon as it has a machine, and anew as it learns', async () => {
  let list = [summary('first')];
  const {store, streams, actions, events} = example({
    checkpoints: async () => list, addRun: async () => RUN,
  });
  actions.start(fromHash(''), {...lists, checkpoints: list});
  streams[0].finish();
  await settle();
  await actions.runs.start({name: 'mine', task: {name: 'copy'}, machine: {}, recipe: {}, seed: 0});
  events.tell([{...RUN, checkpoint: false, progress: null}]);
  await settle();
  assert.equal(streams.length, 1);
  list = [summary('first'), summary(RUN.id, 'trained')];
  events.tell([RUN]);
  await settle();
  assert.equal(streams.at(-1).request.checkpoint, RUN.id);
  streams.at(-1).finish();
  await settle();
  events.tell([{...RUN, progress: {...RUN.progress, live: 5}}]);
  assert.equal(streams.length, 3);
  assert.equal(streams[2].request.checkpoint, RUN.id);
  assert.equal(store.get().runs.length, 1);
});

/** A run on screen whose trace has come: it is paused, and has learnt for 3 iterations. */
async function watching() {
  const found = example({checkpoints: async () => [summary(RUN.id, 'trained')]});
  found.actions.start(fromHash(`#checkpoint=${RUN.id}`), {...lists, checkpoints: [summary(RUN.id, 'trained')]});
  found.events.tell(learnt(3, 'paused'));
  found.streams[0].finish();
  await settle();
  return found;
}

const learnt = (live, status = 'running') => [{...RUN, status, progress: {...RUN.progress, live}}];

test('a trace that takes longer than a machine learns is drawn whole, and then the newest', async () => {
  const {streams, events} = await watching();
  const first = streams.length;
  for (const live of [4, 5, 6]) {
    events.tell(learnt(live));
    await settle();
  }
  events.tell(learnt(7, 'finished'));
  await settle();
  assert.deepEqual([streams.length, streams.at(-1).signal.aborted], [first + 1, false]);
  streams.at(-1).finish();
  await settle();
  assert.equal(streams.length, first + 2);
  streams.at(-1).finish();
  await settle();
  assert.equal(streams.length, first + 2);
});

test('what a run has learnt while its first trace was on its way is drawn after it', async () => {
  const {streams, actions, events} = example({checkpoints: async () => [summary(RUN.id, 'trained')]});
  actions.start(fromHash(`#checkpoint=${RUN.id}`), {...lists, checkpoints: [summary(RUN.id, 'trained')]});
  events.tell([RUN]);
  events.tell(learnt(9, 'finished'));
  assert.equal(streams.length, 1);
  streams[0].finish();
  await settle();
  assert.equal(streams.length, 2);
});

test('a page that hears of its runs only when its trace has come draws the newest', async () => {
  for (const status of ['running', 'finished']) {
    const {streams, actions, events} = example({checkpoints: async () => [summary(RUN.id, 'trained')]});
    actions.start(fromHash(`#checkpoint=${RUN.id}`), {...lists, checkpoints: [summary(RUN.id, 'trained')]});
    streams[0].finish();
    await settle();
    events.tell(learnt(9, status));
    await settle();
    assert.equal(streams.length, 2);
  }
});

test('a run that had ended when its trace was asked for is drawn once', async () => {
  const {streams, actions, events} = example({checkpoints: async () => [summary(RUN.id, 'trained')]});
  actions.start(fromHash(`#checkpoint=${RUN.id}`), {...lists, checkpoints: [summary(RUN.id, 'trained')]});
  events.tell(learnt(9, 'finished'));
  streams[0].finish();
  await settle();
  assert.equal(streams.length, 1);
});

test('a moment of a run stays as it is while the run learns', async () => {
  const {streams, actions, events} = await watching();
  actions.chooseMoment(`${RUN.id}.1`);
  streams.at(-1).finish();
  await settle();
  const before = streams.length;
  events.tell(learnt(8, 'finished'));
  await settle();
  assert.equal(streams.length, before);
});

test('why a run was not started is told to who asked; one that has to wait is said to', async () => {
  let answer = async () => { throw new ApiError({code: 'limit_exceeded', message: 'batch is 9', field: 'recipe.batch', status: 422}); };
  const {store, actions} = example({addRun: () => answer()});
  actions.start(fromHash(''), lists);
  const {message, field} = await actions.runs.start({name: 'mine'});
  assert.deepEqual([message, field, store.get().notices], ['batch is 9', 'recipe.batch', []]);
  answer = async () => ({...RUN, status: 'queued', place: 1});
  assert.equal(await actions.runs.start({name: 'mine'}), null);
  assert.deepEqual(store.get().notices.map(({text}) => text), ["'mine' waits: 1 before it."]);
});

test('a moment of a run keeps everything else, and belongs to the run in the list', async () => {
  const {streams, actions} = example();
  actions.start(fromHash(`#checkpoint=${RUN.id}.2&seed=7`), {...lists, checkpoints: [summary('first'), summary(RUN.id, 'trained')]});
  assert.deepEqual([streams[0].request.checkpoint, streams[0].request.seed], [`${RUN.id}.2`, 7]);
  actions.chooseMoment(`${RUN.id}.1`);
  assert.deepEqual({...streams[1].request, checkpoint: null}, {...streams[0].request, checkpoint: null});
});

test('a file that is too large is refused before it is sent', async () => {
  let sent = false;
  const {store, actions} = example({upload: async () => { sent = true; }});
  actions.start(fromHash(''), lists);
  await actions.upload({name: 'big.safetensors', size: 1001});
  assert.equal(store.get().upload.error.message, 'it has 1001 bytes, and this server takes up to 1000');
  assert.equal(sent, false);
});

test('deleting the chosen upload goes back to the first checkpoint', async () => {
  const {store, streams, actions} = example();
  actions.start(fromHash('#checkpoint=upload-1'), {...lists, checkpoints: [summary('first'), summary('upload-1', 'uploaded')]});
  await actions.remove('upload-1');
  assert.deepEqual(store.get().checkpoints.map(({id}) => id), ['first']);
  assert.equal(streams.at(-1).request.checkpoint, 'first');
});

test('another checkpoint keeps task, seed and typed rows where they fit', async () => {
  const {streams, actions} = example();
  const inputs = [Array(9).fill(0), Array(9).fill(1)];
  actions.start(fromHash('#seed=7'), lists);
  actions.change({inputs});
  actions.chooseCheckpoint('second');
  assert.deepEqual(streams.at(-1).request, {checkpoint: 'second', task: {name: 'copy', bits: 8, lengths: [20, 20]}, seed: 7, initial_seed: 0, inputs, mode: 'full', interventions: [], leave_constraints: false});
});

test('a view is held within a trace', () => {
  const trace = Object.assign(new TraceData({...exampleHeader({steps: 40}), heads: [{}, {}]}), {received: 40});
  const view = {step: 99, head: 5, pinned: 60, diff: true, loop: [50, 60]};
  assert.deepEqual(viewWithin(view, trace), {step: 39, sought: null, head: 1, pinned: null, diff: false, loop: null});
});

test('settings that a machine cannot run are left for those it was trained with', async () => {
  const {streams, actions} = example();
  actions.start(fromHash("#task={'name':'copy','bits':4}"), lists);
  streams[0].fail(new ApiError({code: 'bad_task', message: '5 channels', status: 422}));
  await settle();
  actions.useTrainedTask();
  assert.deepEqual(streams[1].request.task, {name: 'copy', bits: 8, lengths: [20, 20]});
});

test('a link to a mode that the server does not have shows the machine as it is, and says so', async () => {
  const {store, streams, actions} = example();
  actions.start(fromHash("#mode=telepathy&edits=[{'quantity':'memory','operation':'set','value':0}]"), lists);
  assert.equal(streams[0].request.mode, 'full');
  assert.equal(streams[0].request.interventions.length, 1);
  assert.match(store.get().notices[0].text, /'telepathy', which this server does not have/);
});

test('a recording is never changed', async () => {
  const {store, streams, actions} = example();
  actions.start(fromHash('#checkpoint=trace-1&mode=content_only'), {...lists, checkpoints: [{...summary('trace-1', 'recorded'), task: null}]});
  assert.equal(streams[0].request.mode, 'full');
  assert.match(store.get().notices[0].text, /recorded by another program/);
});

test('another model keeps the mode, since every model has it, but no edits, since they name heads', async () => {
  const {streams, actions} = example();
  actions.start(fromHash("#mode=content_only&edits=[{'quantity':'memory','operation':'set','value':0}]"), lists);
  actions.chooseCheckpoint('second');
  assert.deepEqual([streams[1].request.mode, streams[1].request.interventions], ['content_only', []]);
});

/** A page whose first trace is complete, with the cursor on step 12. */
async function settledPage() {
  const page = example();
  page.actions.start(fromHash('#checkpoint=first&t=13'), lists);
  page.streams[0].finish();
  await settle();
  return page;
}

test('a change keeps the old run and the cursor until the new run is complete', async () => {
  const {store, streams, actions} = await settledPage();
  const before = store.get().trace.data;
  actions.intervene({mode: 'content_only'});
  streams[1].arrive(1);
  assert.equal(store.get().trace.data, before);
  assert.equal(store.get().trace.status, 'pending');
  streams[1].finish();
  await settle();
  assert.notEqual(store.get().trace.data, before);
  assert.deepEqual([store.get().step, store.get().request.mode, store.get().trace.status], [12, 'content_only', 'ready']);
});

test('a refused change loses nothing and says why', async () => {
  const {store, streams, actions} = await settledPage();
  const before = store.get();
  const interventions = [{quantity: 'key_strength', operation: 'set', value: -1}];
  actions.intervene({interventions});
  streams[1].fail(new ApiError({code: 'bad_intervention', message: 'it must be at least 0', status: 422}));
  await settle();
  const {trace, request, step} = store.get();
  assert.deepEqual([trace.status, trace.data, trace.end, request, step], ['ready', before.trace.data, before.trace.end, before.request, 12]);
  assert.match(trace.refused.error.message, /at least 0/);
  actions.interveneAnyway();
  assert.deepEqual([streams[2].request.interventions, streams[2].request.leave_constraints], [interventions, true]);
  assert.equal(store.get().trace.refused, null);
});

test('what fails after a change to a change brings back the last run that was complete', async () => {
  const {store, streams, actions} = await settledPage();
  actions.intervene({mode: 'content_only'});
  actions.intervene({leave_constraints: true});
  assert.equal(streams[1].signal.aborted, true);
  assert.deepEqual([streams[2].request.mode, streams[2].request.leave_constraints], ['content_only', true]);
  streams[2].fail(new ApiError({code: 'bad_intervention', message: 'no', status: 422}));
  await settle();
  assert.equal(store.get().request.mode, 'full');
  actions.dismissRefusal();
  assert.equal(store.get().trace.refused, null);
});

test('another episode that fails does not bring back a run of the episode before', async () => {
  const {store, streams, actions} = await settledPage();
  actions.change({seed: 9});
  streams[1].fail(new ApiError({code: 'bad_task', message: 'no', status: 422}));
  await settle();
  assert.deepEqual([store.get().trace.status, store.get().trace.data, store.get().request.seed], ['failed', null, 9]);
});

const gate = (value) => ({quantity: 'interpolation_gate', operation: 'set', heads: ['read 0'], steps: [3, 4], value});

/** A page whose first trace has arrived, with a branch forked from it. */
async function forkedExample() {
  const page = example();
  page.actions.start(fromHash('#t=4'), lists);
  page.streams[0].finish();
  await settle();
  page.actions.fork();
  await settle();
  return {...page, answer: async (how = 'finish', error) => {
    page.streams.at(-1)[how](error);
    await settle();
  }};
}

test('a fork is shown at once, its parent beside it, and what is edited then is its own', async () => {
  const {store, streams, actions, answer} = await forkedExample();
  assert.equal(store.get().tree.shown, 2);
  assert.deepEqual(store.get().columns.map(({choice}) => choice), [{branch: 1}]);
  assert.equal(store.get().trace.status, 'ready');
  actions.edit(gate(0.5));
  assert.deepEqual(streams.at(-1).request.interventions, [gate(0.5)]);
  await answer();
  actions.edit(gate(0.25));
  await answer();
  assert.deepEqual(store.get().tree.branches.map(({interventions}) => interventions), [[], [gate(0.25)]]);
  actions.takeBack((edit) => edit.value !== 0.25);
  await answer();
  assert.deepEqual(store.get().tree.branches[1].interventions, []);
  actions.showBranch(1);
  await answer();
  assert.equal(store.get().tree.shown, 1);
});

test('an edit that is refused leaves branch and request as they were, unless it is made anyway', async () => {
  const {store, actions, answer} = await forkedExample();
  const {request, tree} = store.get();
  actions.edit(gate(2));
  await answer('fail', new ApiError({code: 'bad_intervention', message: 'no', status: 422}));
  assert.deepEqual([store.get().request, store.get().tree], [request, tree]);
  actions.interveneAnyway();
  assert.equal(store.get().request.leave_constraints, true);
  await answer();
  assert.deepEqual([store.get().tree.branches[1].interventions, store.get().tree.branches[1].leave_constraints], [[gate(2)], true]);
});

test('another mode leaves the branches as they are; the shown one deleted gives way to its parent', async () => {
  const {store, actions, answer} = await forkedExample();
  actions.edit(gate(0.5));
  await answer();
  actions.deleteBranch(2);
  assert.deepEqual([store.get().tree.shown, store.get().request.interventions], [1, []]);
  await answer();
  actions.intervene({mode: 'content_only'});
  assert.deepEqual([store.get().tree.shown, store.get().tree.branches.length], [null, 1]);
});

test('a column that becomes the main trace changes places with it', async () => {
  const {store, actions, answer} = await forkedExample();
  actions.edit(gate(0.5));
  await answer();
  actions.makeMain(store.get().columns[0].id);
  assert.deepEqual([store.get().tree.shown, store.get().request.interventions], [1, []]);
  assert.deepEqual(store.get().columns.map(({choice}) => choice), [{branch: 2}]);
});

test('a branch that a column shows changes places with the main trace, so that both stay on the page', async () => {
  const {store, actions} = await forkedExample();
  actions.showBranch(1);
  assert.equal(store.get().tree.shown, 1);
  assert.deepEqual(store.get().columns.map(({choice}) => choice), [{branch: 2}]);
});

test('the parent that takes the place of a deleted branch is not in a column as well', async () => {
  const {store, actions} = await forkedExample();
  actions.deleteBranch(2);
  assert.deepEqual([store.get().tree.shown, store.get().columns], [1, []]);
});

test('there is no 25th branch', async () => {
  const {store, actions} = await forkedExample();
  for (let n = 0; n < 30; n++) actions.fork();
  assert.equal(store.get().tree.branches.length, 24);
  assert.match(store.get().notices.at(-1).text, /24 are the most/);
});
