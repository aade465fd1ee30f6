import assert from 'node:assert/strict';
import {mock, test} from 'node:test';

import {InTurn} from '../../frontend/src/views/in_turn.js';

/** Three parts that note when they are told. */
function three() {
  const told = [];
  const clock = {time: 1000};
  const words = new InTurn(['a', 'b', 'c'].map((name) => () => told.push(name)), () => clock.time);
  return {words, clock, told: () => told.splice(0).join('')};
}

test('a single step brings up what is in sight at once, and everything when no other follows', () => {
  mock.timers.enable({apis: ['setTimeout']});
  const calls = [];
  const clock = {time: 1000};
  const words = new InTurn([(running) => calls.push(running)], () => clock.time);
  for (const _ of [1, 2]) {
    words.update(true);
    assert.deepEqual(calls.splice(0), [true]);
    mock.timers.tick(80);
    assert.deepEqual(calls.splice(0), [false]);
    clock.time += 100;
  }
  mock.timers.reset();
});

test('a running cursor brings up one part every third frame, and all when it rests', () => {
  mock.timers.enable({apis: ['setTimeout']});
  const {words, clock, told} = three();
  words.update(true);
  told();
  for (const expected of ['a', '', '', 'b', '', '', 'c', '', '', 'a']) {
    clock.time += 16;
    words.update(true);
    assert.equal(told(), expected);
  }
  mock.timers.tick(79);
  assert.equal(told(), '');
  mock.timers.tick(1);
  assert.equal(told(), 'abc');
  mock.timers.reset();
});

test('any other change brings up everything, also while the cursor runs', () => {
  const {words, clock, told} = three();
  words.update(true);
  clock.time += 16;
  words.update(false);
  assert.equal(told(), 'abcabc');
  words.stop();
});
