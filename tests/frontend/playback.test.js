import assert from 'node:assert/strict';
import {test} from 'node:test';

import {moveTo, togglePlay} from '../../frontend/src/cursor.js';
import {positionAt, startPlayback} from '../../frontend/src/playback.js';
import {initialState} from '../../frontend/src/state.js';
import {createStore} from '../../frontend/src/store.js';
import {TraceData} from '../../frontend/src/trace_data.js';
import {exampleHeader} from './wire_helper.js';

const tape = {speed: 1, loop: null, steps: 100};
const at = (ms, anchor, changes) => positionAt({time: 0, step: 0, ...anchor}, ms, {...tape, ...changes});

test('ten steps a second at speed 1, whatever the frames', () => {
  assert.equal(at(0).step, 0);
  assert.equal(at(99).step, 0);
  assert.equal(at(100).step, 1);
  assert.equal(at(4300, {step: 5}).step, 48);
});

test('the range of speeds', () => {
  assert.equal(at(4000, {}, {speed: 0.25}).step, 10);
  assert.equal(at(100, {}, {speed: 30}).step, 30);
  assert.equal(at(16.7, {}, {speed: 30}).step, 5);
});

test('it ends on the last step', () => {
  assert.deepEqual(at(20_000), {step: 99, ended: true});
});

test('a loop region comes round exactly', () => {
  const loop = [10, 14];
  const seen = Array.from({length: 12}, (_, k) => at(100 * k, {step: 10}, {loop}).step);
  assert.deepEqual(seen, [10, 11, 12, 13, 14, 10, 11, 12, 13, 14, 10, 11]);
  assert.equal(at(0, {step: 3}, {loop}).step, 10);
  assert.equal(at(0, {step: 50}, {loop}).step, 10);
  assert.equal(at(100 * 5 * 1000, {step: 10}, {loop}).step, 10);
  assert.equal(at(5000, {step: 7}, {loop: [7, 7]}).step, 7);
});

/** A page with a clock and frames of its own. */
function page({hidden = false, received = 100} = {}) {
  const data = Object.assign(new TraceData(exampleHeader({steps: 100})), {received});
  const store = createStore({...initialState(), trace: {...initialState().trace, status: 'ready', data, received}}, (notify) => queueMicrotask(notify));
  const clock = {ms: 0};
  const frames = [];
  const listeners = [];
  const fake = {hidden, addEventListener: (name, listener) => listeners.push(listener)};
  const abort = new AbortController();
  startPlayback({store, signal: abort.signal, now: () => clock.ms, requestFrame: (frame) => frames.push(frame), page: fake});
  const frame = async (ms) => {
    clock.ms += ms;
    frames.splice(0).forEach((one) => one());
    await Promise.resolve();
  };
  return {store, frames, frame, fake, wake: () => listeners.forEach((listener) => listener()), settle: () => Promise.resolve()};
}

test('dropped frames drop steps and never delay the rest', async () => {
  const {store, frame, settle} = page();
  store.set({playing: true});
  await settle();
  await frame(0);
  for (const ms of [16, 16, 900, 16, 52]) await frame(ms);
  assert.equal(store.get().step, 10);
});

test('no frame is asked for while paused or hidden', async () => {
  const {store, frames, frame, fake, wake, settle} = page();
  store.set({step: 3});
  await settle();
  assert.equal(frames.length, 0);
  store.set({playing: true});
  await settle();
  await frame(0);
  await frame(100);
  assert.equal(store.get().step, 4);
  fake.hidden = true;
  await frame(100);
  assert.equal(frames.length, 0);
  fake.hidden = false;
  wake();
  assert.equal(frames.length, 1);
  await frame(60_000);
  assert.equal(store.get().step, 4, 'time behind the curtain does not count');
});

test('a jump while playing goes on from there', async () => {
  const {store, frame, settle} = page();
  store.set({playing: true});
  await settle();
  await frame(0);
  await frame(300);
  store.set({step: 50});
  await frame(10);
  assert.equal(store.get().step, 50);
  await frame(200);
  assert.equal(store.get().step, 52);
});

test('a change of speed counts from the step where it happens', async () => {
  const {store, frame, settle} = page();
  store.set({playing: true});
  await settle();
  await frame(0);
  await frame(1000);
  store.set({speed: 2});
  await frame(0);
  assert.equal(store.get().step, 10);
  await frame(1000);
  assert.equal(store.get().step, 30);
});

test('it waits where the stream has not come yet, and seeks the next step', async () => {
  const {store, frame, settle} = page({received: 20});
  store.set({playing: true, step: 18});
  await settle();
  await frame(0);
  await frame(100);
  assert.deepEqual([store.get().step, store.get().sought], [19, null]);
  for (const ms of [100, 16, 16]) await frame(ms);
  assert.deepEqual([store.get().step, store.get().sought, store.get().playing], [19, 20, true]);
  store.get().trace.data.received = 100;
  await frame(100);
  assert.deepEqual([store.get().step, store.get().sought], [20, null]);
  await frame(100);
  assert.equal(store.get().step, 21);
});

test('a jump ahead of what has arrived while playing is not forgotten, and goes on from there', async () => {
  const {store, frame, settle} = page({received: 50});
  store.set({playing: true, step: 10});
  await settle();
  await frame(0);
  await frame(100);
  store.set(moveTo(store.get(), 80));
  for (const ms of [16, 100, 500, 16]) await frame(ms);
  assert.deepEqual([store.get().step, store.get().sought, store.get().playing], [49, 80, true]);
  store.get().trace.data.received = 100;
  await frame(16);
  assert.deepEqual([store.get().step, store.get().sought], [80, null]);
  await frame(0);
  await frame(100);
  assert.equal(store.get().step, 81);
});

test('play begins where the cursor is to stand', async () => {
  const {store, frame, settle} = page({received: 50});
  store.set({step: 49, sought: 80});
  store.set(togglePlay(store.get()));
  await settle();
  for (const ms of [0, 500, 16]) await frame(ms);
  assert.deepEqual([store.get().step, store.get().sought], [49, 80]);
  store.set({playing: false, sought: 99});
  assert.deepEqual(togglePlay(store.get()), {playing: true, step: 0, sought: null});
});

test('it waits for the last step too', async () => {
  const {store, frame, settle} = page({received: 99});
  store.set({playing: true, step: 98});
  await settle();
  await frame(0);
  await frame(500);
  assert.deepEqual([store.get().step, store.get().sought, store.get().playing], [98, 99, true]);
});

test('at the end it stops playing', async () => {
  const {store, frames, frame, settle} = page();
  store.set({playing: true, step: 98});
  await settle();
  await frame(0);
  await frame(500);
  assert.deepEqual([store.get().step, store.get().playing, frames.length], [99, false, 0]);
});
