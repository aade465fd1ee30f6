import assert from 'node:assert/strict';
import {test} from 'node:test';

import {interventionsFrom, isChanged, kernelWith, madeChanges, touchedWords, touches, UNCHANGED, withEdit} from '../../frontend/src/interventions.js';

const gate = (value, steps = [4, 5], heads = ['read 0']) => ({quantity: 'interpolation_gate', operation: 'set', heads, steps, value});

test('the machine as it is asks for nothing', () => {
  assert.deepEqual(madeChanges(UNCHANGED), {});
  assert.equal(isChanged(UNCHANGED), false);
  assert.equal(isChanged({...UNCHANGED, leave_constraints: true}), false);
  assert.equal(isChanged({...UNCHANGED, interventions: [gate(1)]}), true);
});

test('an edit takes the place of an earlier one of the same place, and comes last', () => {
  const others = [gate(0, [5, 6]), gate(0, [4, 5], ['write 0']), {...gate(0), quantity: 'sharpening'}];
  assert.deepEqual(withEdit([gate(0.25), ...others], gate(0.75)), [...others, gate(0.75)]);
  assert.deepEqual(withEdit([{...gate(1), location: null}], gate(2)), [gate(2)]);
});

test('an edit touches its heads in its steps, from the first until before the second', () => {
  assert.deepEqual([3, 4, 5].map((step) => touches(gate(1), 'interpolation_gate', ['read 0'], step)), [false, true, false]);
  assert.equal(touches(gate(1), 'interpolation_gate', ['write 0'], 4), false);
  assert.equal(touches(gate(1), 'sharpening', ['read 0'], 4), false);
  assert.equal(touches({quantity: 'sharpening', operation: 'set', value: 1}, 'sharpening', ['write 0'], 99), true);
});

test('an edit of one entry touches that entry, one of all entries all', () => {
  const key = (more) => ({quantity: 'key', operation: 'set', heads: ['read 0'], steps: [4, 5], value: 1, ...more});
  const touched = (edits, step = 4) => touchedWords(edits, 'key', ['read 0'], step, 4);
  assert.deepEqual(touched([key({word: 2}), key({word: 0}), key({word: 2, operation: 'scale'})]), [0, 2]);
  assert.deepEqual(touched([key({})]), [0, 1, 2, 3]);
  assert.deepEqual(touched([key({word: null}), gate(1)]), [0, 1, 2, 3]);
  assert.deepEqual(touched([key({word: 2})], 5), []);
});

test('an entry set by hand leaves the rest of 1 to the others, in their proportion', () => {
  assert.deepEqual(kernelWith([0.25, 0.5, 0.25], 1, 0.2), [0.4, 0.2, 0.4]);
  assert.deepEqual(kernelWith([0.1, 0.6, 0.3], 0, 0), [0, 0.666667, 0.333333]);
  assert.deepEqual(kernelWith([0, 1, 0], 1, 0.5), [0.25, 0.5, 0.25]);
  assert.deepEqual(kernelWith(Float32Array.of(1), 0, 0.5), [0.5]);
});

test('the rest that rounding leaves is far below what a sum may be off', () => {
  for (let at = 0; at < 7; at++) {
    const kernel = Array.from({length: 7}, (_, entry) => Math.exp(-entry * at) + 1e-9 * entry);
    const sum = kernelWith(kernel, at, 0.3).reduce((total, entry) => total + entry, 0);
    assert.ok(Math.abs(sum - 1) < 1e-5, `${sum}`);
  }
});

test('only a list of interventions is one', () => {
  assert.deepEqual(interventionsFrom([gate(1), {...gate(1), location: null}]), [gate(1), {...gate(1), location: null}]);
  for (const wrong of [null, undefined, {}, 'x', [null], [{}], [gate('1')], [gate([1, '2'])], [gate(1, [1])], [gate(1, [-1, 2])], [gate(1, [0, 1], [])], Array(257).fill(gate(1))]) {
    assert.equal(interventionsFrom(wrong), null);
  }
});
