import assert from 'node:assert/strict';
import {beforeEach, mock, test} from 'node:test';

import {createNotices} from '../../frontend/src/notices.js';
import {initialState} from '../../frontend/src/state.js';
import {createStore} from '../../frontend/src/store.js';

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({apis: ['setTimeout']});
});

/** Notices, and how many of them stand there. */
function example() {
  const store = createStore(initialState(), () => {});
  return {notices: createNotices(store), said: () => store.get().notices.map(({text}) => text), last: () => store.get().notices.at(-1).id};
}

test('what needs no answer goes after a while, what warns stays', () => {
  const {notices, said} = example();
  notices.notify('info', 'done');
  notices.notify('warn', 'odd');
  mock.timers.tick(60_000);
  assert.deepEqual(said(), ['odd']);
});

test('one that is held stays until a while after it is let go of', () => {
  const {notices, said, last} = example();
  notices.notify('info', 'done');
  const id = last();
  notices.hold(id);
  mock.timers.tick(60_000);
  assert.deepEqual(said(), ['done']);
  notices.letGo(id);
  mock.timers.tick(6000);
  assert.deepEqual(said(), ['done']);
  mock.timers.tick(2000);
  assert.deepEqual(said(), []);
  notices.letGo(id);
  mock.timers.tick(60_000);
});

test('a warning that is let go of stays', () => {
  const {notices, said, last} = example();
  notices.notify('warn', 'odd');
  notices.hold(last());
  notices.letGo(last());
  mock.timers.tick(60_000);
  assert.deepEqual(said(), ['odd']);
});
