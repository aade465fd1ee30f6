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
  assert.deepEqual(brought('schedule', {schedule: 'address_first', step_order: 'write_then_read'}), {});
});

test('layers of sizes of their own give way to a number or a size of layers', () => {
  const values = {controller_layer_sizes: [10, 20], controller_layers: 3, controller_size: 20};
  assert.deepEqual(brought('controller_layers', values), {controller_layer_sizes: null});
  assert.deepEqual(brought('controller_size', {...values, controller_layers: 2, controller_size: 30}), {controller_layer_sizes: null});
  assert.deepEqual(brought('controller_layers', {...values, controller_layer_sizes: null}), {});
});

test('heads that read and write stay as many of both, in the order of their schedule', () => {
  const values = {head_roles: 'read_and_write', read_heads: 3, write_heads: 1, schedule: 'address_first', step_order: 'read_then_write'};
  assert.deepEqual(brought('head_roles', values), {write_heads: 3, step_order: 'read_then_write'});
  assert.deepEqual(brought('head_roles', {...values, schedule: 'address_last'}), {write_heads: 3, step_order: 'write_then_read'});
  assert.deepEqual(brought('read_heads', values), {write_heads: 3});
  assert.deepEqual(brought('write_heads', values), {read_heads: 1});
  assert.deepEqual(brought('schedule', {...values, schedule: 'address_last'}), {step_order: 'write_then_read'});
  assert.deepEqual(brought('schedule', {...values, step_order: 'write_then_read'}), {step_order: 'read_then_write'});
});
