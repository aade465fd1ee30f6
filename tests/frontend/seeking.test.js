import assert from 'node:assert/strict';
import {beforeEach, mock, test} from 'node:test';

import {moveTo} from '../../frontend/src/cursor.js';
import {ApiError} from '../../frontend/src/request.js';
import {partAround, seekAhead} from '../../frontend/src/seeking.js';
import {EMPTY_TRACE, initialState} from '../../frontend/src/state.js';
import {createStore} from '../../frontend/src/store.js';
import {TraceData} from '../../frontend/src/trace_data.js';
import {exampleBlocks, exampleHeader} from './wire_helper.js';

const STEPS = 100_000;
const REQUEST = {checkpoint: 'example', seed: 3};

const settle = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({apis: ['setTimeout']});
});

/** A trace that streams, so many steps of which have arrived, and an API whose parts the test sends by hand. */
function example({core = 'compiled', kept = false, received = 100} = {}) {
  const data = Object.assign(new TraceData({...exampleHeader({steps: STEPS}), run: 'one', core, kept}), {received});
  const store = createStore({...initialState(), trace: {...EMPTY_TRACE, status: 'streaming', data, received}}, (notify) => queueMicrotask(notify));
  const asked = [];
  const api = {
    streamTrace: (request, _, signal, part) => new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      asked.push({request, signal, part, fail: reject, send(run = 'one') {
        const header = {...exampleHeader({steps: part.count}), run};
        const {episode, initial, records} = exampleBlocks(header);
        const found = new TraceData(header);
        found.setEpisode(episode);
        found.setInitial(initial);
        for (const record of records) found.appendSteps(record);
        resolve({data: found});
      }});
    }),
  };
  const abort = new AbortController();
  const seek = seekAhead({store, api, request: REQUEST, signal: abort.signal});
  seek({data});
  const goTo = async (step) => {
    store.set(moveTo(store.get(), step));
    await settle();
  };
  const rest = async (ms = 150) => {
    mock.timers.tick(ms);
    await settle();
  };
  return {store, api, data, asked, abort, seek, goTo, rest};
}

test('a step far ahead is asked for with those around it, and the cursor stands there once it is there', async () => {
  const {store, data, asked, goTo, rest} = example();
  await goTo(60_000);
  assert.deepEqual([store.get().step, store.get().sought], [99, 60_000]);
  await rest();
  assert.equal(asked.length, 1);
  const {request, part, send} = asked[0];
  assert.equal(request, REQUEST);
  assert.ok(part.first < 60_000 && part.first + part.count > 60_001);
  send();
  await settle();
  assert.deepEqual([store.get().step, store.get().sought], [60_000, null]);
  assert.ok(data.holds(60_000) && !data.holds(100));
  await rest(10_000);
  assert.equal(asked.length, 1);
});

test('a drag asks once, for where it comes to rest', async () => {
  const {asked, goTo, rest} = example();
  for (const step of [20_000, 30_000, 40_000]) {
    await goTo(step);
    await rest(50);
  }
  await rest();
  assert.deepEqual(asked.map(({part}) => part.first <= 40_000 && part.first + part.count > 40_000), [true]);
});

test('only the last place is asked for; one in the same part is not asked for again', async () => {
  const {store, asked, goTo, rest} = example();
  await goTo(20_000);
  await rest();
  await goTo(20_001);
  await rest();
  assert.equal(asked.length, 1);
  await goTo(80_000);
  await rest();
  assert.deepEqual(asked.map(({signal}) => signal.aborted), [true, false]);
  asked[1].send();
  await settle();
  assert.equal(store.get().step, 80_000);
});

test('a person who moves back meanwhile stays there', async () => {
  const {store, data, asked, goTo, rest} = example();
  await goTo(20_000);
  await rest();
  await goTo(50);
  asked[0].send();
  await settle();
  assert.deepEqual([store.get().step, store.get().sought], [50, null]);
  assert.ok(data.holds(20_000));
});

test('what arrives by itself in a moment is not asked for', async () => {
  const {data, asked, goTo, rest} = example();
  await goTo(2000);
  data.received = 1500;
  await rest();
  assert.equal(asked.length, 0);
});

test('where the server would compute the run step by step first, only what it keeps is asked for', async () => {
  for (const [options, expected] of [[{core: 'eager'}, 0], [{core: 'eager', kept: true}, 1]]) {
    const {asked, goTo, rest} = example(options);
    await goTo(60_000);
    await rest();
    assert.equal(asked.length, expected);
  }
});

test('steps of another run are not shown', async () => {
  const {store, data, asked, goTo, rest} = example();
  await goTo(60_000);
  await rest();
  asked[0].send('another');
  await settle();
  assert.deepEqual([store.get().step, store.get().sought], [99, 60_000]);
  assert.equal(data.ahead, 0);
});

test('a busy server is asked again; another failure leaves it to the stream', async () => {
  const {store, asked, goTo, rest} = example();
  await goTo(60_000);
  await rest();
  asked[0].fail(new ApiError({code: 'busy', message: 'busy', status: 503}, 1));
  await settle();
  await rest(1000);
  assert.equal(asked.length, 2);
  asked[1].fail(new ApiError({code: 'bad', message: 'no', status: 422}));
  await settle();
  await rest(5000);
  assert.equal(asked.length, 2);
  assert.deepEqual([store.get().step, store.get().sought], [99, 60_000]);
});

test('what was sought in the trace before is not asked of the one that begins', async () => {
  const {store, api, asked, abort, goTo, rest} = example();
  await goTo(60_000);
  abort.abort();
  const data = Object.assign(new TraceData({...exampleHeader({steps: 50}), core: 'compiled'}), {received: 0});
  const seek = seekAhead({store, api, request: REQUEST, signal: new AbortController().signal});
  seek({data});
  await rest(1000);
  assert.equal(asked.length, 0);
  const trace = {...store.get().trace, data, received: 10};
  data.received = 10;
  store.set({...moveTo({...store.get(), trace}, 40), trace});
  seek({data});
  await rest();
  assert.equal(asked.length, 1);
});

test('with the trace, what is asked for ends', async () => {
  const {asked, abort, goTo, rest} = example();
  await goTo(60_000);
  await rest();
  abort.abort();
  assert.equal(asked[0].signal.aborted, true);
  await goTo(90_000);
  await rest();
  assert.equal(asked.length, 1);
});

test('a part goes on from what is known, forwards or backwards', () => {
  const {data} = example();
  const {count} = partAround(data, 60_000);
  assert.equal(count, Math.floor((256 * 1024) / (4 * data.sizes.step)));
  assert.deepEqual(partAround(data, 100), {first: 100, count});
  assert.equal(partAround(data, 60_000).first, 60_000 - Math.floor(count / 2));
  data.addPart(50_000, Object.assign(new TraceData(exampleHeader({steps: 10})), {received: 10}));
  assert.deepEqual(partAround(data, 50_010), {first: 50_010, count});
  assert.deepEqual(partAround(data, 49_999), {first: 50_000 - count, count});
});
