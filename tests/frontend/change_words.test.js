import assert from 'node:assert/strict';
import {test} from 'node:test';

import {changeWords, editWords, isConstraint, refusalOf, refusalWords, violationWords} from '../../frontend/src/change_words.js';
import {UNCHANGED} from '../../frontend/src/interventions.js';
import {initialState} from '../../frontend/src/state.js';

const gate = {quantity: 'interpolation_gate', operation: 'set', value: 0.5};
const modes = [
  {name: 'full', title: 'Full', definition: '', equation: '', interventions: []},
  {name: 'frozen_memory', title: 'Frozen memory', definition: '', equation: '', interventions: [gate, gate]},
];
const page = (request, header = {}) => ({...initialState(), modes, request: {checkpoint: 'x', ...UNCHANGED, ...request}, trace: {data: {header}}});

test('what is changed is said in a few words', () => {
  assert.equal(changeWords(page({})), '');
  assert.equal(changeWords(page({mode: 'frozen_memory'})), 'frozen memory');
  assert.equal(changeWords(page({interventions: [gate]})), '1 edit');
  assert.equal(changeWords(page({mode: 'frozen_memory', interventions: [gate, gate]})), 'frozen memory + 2 edits');
  assert.equal(changeWords({...page({mode: 'no_read'}), modes: []}), 'no_read');
});

test('a recording says itself what was changed in it', () => {
  const recorded = {checkpoint: 'trace-1'};
  assert.equal(changeWords(page(recorded, {mode: 'frozen_memory', interventions: [gate, gate, gate]})), 'frozen memory + 1 edit');
  assert.equal(changeWords(page(recorded)), '');
});

test('a constraint that was left is told as the screen counts', () => {
  const violation = {step: 5, head: 'read 0', quantity: 'interpolation_gate', value: 1.5, rule: 'it must be in [0, 1]'};
  assert.equal(violationWords(violation), 't = 6, read 0: gate is 1.5, must be in [0, 1]');
  assert.equal(violationWords({...violation, quantity: 'shift_weighting', value: -0.25, rule: 'every entry must be at least 0'}),
    't = 6, read 0: shift is −0.25, every entry must be at least 0');
  assert.equal(violationWords({step: 0, head: null, quantity: 'memory', value: null, rule: 'r'}), 't = 1: memory found is not a number, r');
});

test('an edit is told where the screen shows its place', () => {
  assert.equal(editWords({quantity: 'interpolation_gate', operation: 'set', heads: ['read 0'], steps: [5, 6], value: 1.5}), 't = 6, read 0: gate = 1.5');
  assert.equal(editWords({quantity: 'shift_weighting', operation: 'set', heads: ['write 0'], steps: [0, 3], value: [0.05, 0.912345, 0.037655]}),
    't = 1 … 3, write 0: shift = [0.05, 0.912, 0.0377]');
  assert.equal(editWords({quantity: 'memory', operation: 'scale', location: 3, word: 0, value: -2}), 'all t: memory found location 3 element 0 × −2');
  assert.equal(editWords({quantity: 'key', operation: 'set', heads: ['read 0'], steps: [5, 6], word: 3, value: 1.5}), 't = 6, read 0: key (3) = 1.5');
  assert.equal(editWords({quantity: 'shift_weighting', operation: 'one_hot', shift: 1}), 'all t: shift (+1) one-hot');
  assert.equal(editWords({quantity: 'weighting', operation: 'stage', stage: 'content_weighting'}), 'all t: weighting stage content weighting');
});

test('a refusal counts steps as the screen does', () => {
  const told = "step 29, head 'read 0': key_strength is -1: it must be at least 0; leave_constraints allows it";
  assert.equal(refusalWords(told), "t = 30, head 'read 0': key_strength is -1: it must be at least 0");
  assert.equal(refusalWords('the server is busy'), 'the server is busy');
  assert.deepEqual([told, 'intervention 0: steps is [30, 31], but the run has 9 steps: they end at 9'].map(isConstraint), [true, false]);
});

test('an edit that does not go with an episode is told as the page counts and calls it', () => {
  const beyond = (index) => `intervention ${index}: steps is [30, 31], but the run has 9 steps: they end at 9`;
  assert.equal(refusalWords(beyond(0)), 'edit 1 is at t = 31, but this episode ends at t = 9');
  assert.equal(refusalWords(beyond(0).replace('31]', '33]')), 'edit 1 is at t = 31 … 33, but this episode ends at t = 9');
  assert.equal(refusalWords("intervention 2: steps 3 … 40 are taken from source 'clean', which has 9 steps"),
    "edit 3 takes t = 4 … 41 from 'clean', which ends at t = 9");
  assert.equal(refusalWords('intervention 0: location is 5: it must be 0 … 3 with this machine'),
    'edit 1: location is 5: it must be 0 … 3 with this machine');
  assert.equal(refusalOf({modes}, {mode: 'frozen_memory'}, beyond(2)), 'edit 1 is at t = 31, but this episode ends at t = 9');
});
