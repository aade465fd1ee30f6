import assert from 'node:assert/strict';
import {test} from 'node:test';

import {whyEager} from '../../frontend/src/shell/core_note.js';

const eager = {core: 'eager', checkpoint: 'copy'};
const detail = (why_eager, id = 'copy') => ({status: 'ready', value: {id, why_eager}});

test('what the compiled core computed needs no reason', () => {
  assert.equal(whyEager({core: 'compiled', checkpoint: 'copy'}, detail(null)), null);
});

test('the reason why PyTorch computed a trace is the server\'s', () => {
  const why = 'The compiled core computes in float32, and this checkpoint is in float64.';
  assert.equal(whyEager(eager, detail(why)), `This takes ten times as long and more. ${why}`);
});

test('where the server has none, the compiled core was not ready; a header that names no core is of PyTorch', () => {
  assert.match(whyEager(eager, detail(null)), / The compiled core was still being loaded when this began\.$/);
  assert.match(whyEager({checkpoint: 'copy'}, detail(null)), /still being loaded/);
});

test('no reason is told before the server has told of this checkpoint', () => {
  for (const unknown of [null, {status: 'pending'}, {status: 'failed', error: {}}, detail('Of another.', 'other')]) {
    assert.equal(whyEager(eager, unknown), 'This takes ten times as long and more.');
  }
});
