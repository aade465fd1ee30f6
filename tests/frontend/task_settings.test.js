import assert from 'node:assert/strict';
import {test} from 'node:test';

import {codedAs, controlsOf, fits, startingSettings, startingTask} from '../../frontend/src/task_settings.js';

const whole = {type: 'integer', minimum: 1, maximum: 100000};
const range = (title) => ({title, type: 'array', minItems: 2, maxItems: 2, prefixItems: [whole, whole], description: `Range of ${title}.`});
const copy = {
  name: 'copy', title: 'Copy', description: '', input_channels: Array(9).fill('bit'), output_channels: Array(8).fill('bit'), phases: [],
  defaults: {name: 'copy', bits: 8, lengths: [1, 20]},
  settings_schema: {properties: {name: {const: 'copy'}, bits: {...whole, maximum: 64}, lengths: range('Lengths')}},
};
const repeat = {
  name: 'repeat_copy', title: 'Repeat copy', description: '', input_channels: Array(10).fill('bit'), output_channels: Array(9).fill('bit'), phases: [],
  defaults: {name: 'repeat_copy', bits: 8, lengths: [1, 10], repeats: [1, 10], normalised_over: [1, 10]},
  settings_schema: {properties: {
    name: {const: 'repeat_copy'}, bits: {...whole, maximum: 64}, lengths: range('Lengths'), repeats: range('Repeats'), normalised_over: range('Normalised Over'),
  }},
};
const machine = (input_size, output_size, task = null) => ({id: 'm', name: 'm', config: {input_size, output_size}, task});

test('a control for each setting, with its bounds, and none for the name', () => {
  const controls = controlsOf(repeat.settings_schema);
  assert.deepEqual(controls.map(({name, kind, coding}) => [name, kind, coding]), [
    ['bits', 'integer', true], ['lengths', 'range', false], ['repeats', 'range', false], ['normalised_over', 'range', true],
  ]);
  assert.deepEqual([controls[1].minimum, controls[1].maximum, controls[1].description], [1, 100000, 'Range of Lengths.']);
});

test('choices, flags, numbers and references have controls; other shapes are refused', () => {
  const schema = {
    properties: {order: {$ref: '#/$defs/Order'}, noisy: {type: 'boolean'}, noise: {type: 'number', minimum: 0}},
    $defs: {Order: {enum: ['up', 'down']}},
  };
  assert.deepEqual(controlsOf(schema).map(({kind}) => kind), ['choice', 'flag', 'number']);
  assert.deepEqual(controlsOf(schema)[0].options, ['up', 'down']);
  assert.throws(() => controlsOf({properties: {odd: {type: 'object'}}}), /Setting 'odd'/);
});

test('a checkpoint starts on the task it was trained on, at its longest', () => {
  const trained = machine(9, 8, {name: 'copy', bits: 8, lengths: [1, 12]});
  assert.deepEqual(startingTask([repeat, copy], trained), {name: 'copy', bits: 8, lengths: [12, 12]});
});

test('how a number is coded is never widened', () => {
  assert.deepEqual(startingSettings(repeat, machine(10, 9)), {
    name: 'repeat_copy', bits: 8, lengths: [10, 10], repeats: [10, 10], normalised_over: [1, 10],
  });
});

test('without a task of its own, a checkpoint starts on the first that has its channels', () => {
  assert.equal(startingTask([copy, repeat], machine(10, 9)).name, 'repeat_copy');
  assert.equal(startingTask([copy, repeat], machine(3, 3)), null);
  assert.ok(fits(copy, machine(9, 8)) && !fits(copy, machine(10, 9)));
  assert.ok(fits(copy, machine(5, 4, {name: 'copy', bits: 4})), 'as it was trained, whatever the defaults');
});

test('another machine on the same task is shown with the channels that it was trained with, and all else as it is', () => {
  assert.deepEqual(codedAs({name: 'copy', bits: 8, lengths: [7, 7]}, {name: 'copy', bits: 5, lengths: [1, 20]}), {name: 'copy', bits: 5, lengths: [7, 7]});
});
