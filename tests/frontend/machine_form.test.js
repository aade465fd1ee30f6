import assert from 'node:assert/strict';
import {test} from 'node:test';

import {brought, choiceText, rangeText} from '../../frontend/src/shell/machine_form.js';

const plain = (text) => text.replaceAll('\u00a0', ' ');

test('which numbers are allowed', () => {
  assert.equal(plain(rangeText({minimum: 1, maximum: 65_536})), '1 … 65,536');
  assert.equal(plain(rangeText({minimum: -1, maximum: 1})), '−1 … 1');
  assert.equal(rangeText({exclusiveMinimum: 0, maximum: 1}), 'more than 0, at most 1');
  assert.equal(rangeText({minimum: 0, exclusiveMaximum: 1}), 'at least 0, less than 1');
  assert.equal(rangeText({}), '');
});

test('an alternative is told in words, and by the name that the command line uses', () => {
  assert.equal(choiceText('one_hot', 'one-hot at location 0'), 'one-hot at location 0 (one_hot)');
  assert.equal(choiceText('read_then_write', 'all heads see M_{t-1}'), 'all heads see Mₜ₋₁ (read_then_write)');
  assert.equal(choiceText('lstm', 'LSTM'), 'LSTM');
  assert.equal(choiceText('softplus', undefined), 'softplus');
});

test('a listed order begins with one that fits the heads, and goes with them', () => {
  const values = {step_order: 'listed', read_heads: 1, write_heads: 2, head_order: null};
  const order = ['read', 'write', 'write'];
  assert.deepEqual(brought('step_order', values), {write_order: 'one_by_one', head_order: order});
  const own = ['write', 'read', 'write'];
  assert.deepEqual(brought('write_heads', {...values, head_order: own}).head_order, own);
  assert.deepEqual(brought('write_heads', {...values, write_heads: 1, head_order: own}).head_order, ['read', 'write']);
  assert.deepEqual(brought('step_order', {...values, step_order: 'read_then_write'}), {});
  assert.deepEqual(brought('clip', values), {});
});

test('a choice brings what no machine could be built without', () => {
  assert.deepEqual(brought('controller_layer_sizes', {controller_layer_sizes: [20, 50]}), {controller_layers: 2, controller_size: 50});
  assert.deepEqual(brought('controller_layer_sizes', {controller_layer_sizes: null}), {});
  assert.deepEqual(brought('schedule', {schedule: 'address_last'}), {step_order: 'write_then_read'});
  assert.deepEqual(brought('head_roles', {head_roles: 'read_and_write', read_heads: 3}), {write_heads: 3, step_order: 'read_then_write'});
});
