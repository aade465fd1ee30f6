import assert from 'node:assert/strict';
import {test} from 'node:test';

import {initialState} from '../../frontend/src/state.js';
import {createStore} from '../../frontend/src/store.js';

/** A store whose frames come when the test says so. */
function example() {
  const frames = [];
  const store = createStore(initialState(), (notify) => frames.push(notify));
  const nextFrame = () => frames.splice(0).forEach((notify) => notify());
  return {store, frames, nextFrame, abort: new AbortController()};
}

test('patches are there at once, listeners hear once a frame of the last one', () => {
  const {store, frames, nextFrame, abort} = example();
  const heard = [];
  store.subscribe((state, previous) => heard.push([state.step, previous.step]), abort.signal);
  for (const step of [1, 2, 3]) store.set({step});
  assert.equal(store.get().step, 3);
  assert.deepEqual(heard, []);
  assert.equal(frames.length, 1);
  nextFrame();
  assert.deepEqual(heard, [[3, 0]]);
  store.set({step: 4});
  nextFrame();
  assert.deepEqual(heard, [[3, 0], [4, 3]]);
});

test('a patch that changes nothing asks for no frame', () => {
  const {store, frames} = example();
  store.set({step: 0, playing: false});
  assert.equal(frames.length, 0);
});

test('a listener leaves with its signal', () => {
  const {store, nextFrame, abort} = example();
  let calls = 0;
  store.subscribe(() => { calls += 1; }, abort.signal);
  abort.abort();
  store.set({step: 5});
  nextFrame();
  assert.equal(calls, 0);
});

test('what a listener sets is heard in the next frame', () => {
  const {store, nextFrame, abort} = example();
  const heard = [];
  store.subscribe(({step}) => {
    heard.push(step);
    if (step === 1) store.set({step: 2});
  }, abort.signal);
  store.set({step: 1});
  nextFrame();
  assert.deepEqual(heard, [1]);
  nextFrame();
  assert.deepEqual(heard, [1, 2]);
});

test('a listener that throws does not silence the others, and its error is not lost', () => {
  const {store, nextFrame, abort} = example();
  let calls = 0;
  store.subscribe(() => { throw new Error('broken'); }, abort.signal);
  store.subscribe(() => { calls += 1; }, abort.signal);
  store.set({step: 1});
  assert.throws(nextFrame, /broken/);
  assert.equal(calls, 1);
});
