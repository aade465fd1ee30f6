import assert from 'node:assert/strict';
import {test} from 'node:test';

import {actionOf, KEYS} from '../../frontend/src/keyboard.js';
import {initialState} from '../../frontend/src/state.js';
import {TraceData} from '../../frontend/src/trace_data.js';
import {exampleHeader} from './wire_helper.js';

const heads = [{name: 'read 0', kind: 'read'}, {name: 'write 0', kind: 'write'}];
/** A trace of 41 steps of which so many have arrived. */
function traceWith(received, status = 'ready') {
  const data = Object.assign(new TraceData({...exampleHeader({steps: 41}), heads}), {received});
  return {...initialState().trace, status, data, received};
}
const state = {...initialState(), step: 20, trace: traceWith(41)};
const press = (key, changes = {}, shiftKey = false) => actionOf({key, shiftKey}, {...state, ...changes});

test('moving', () => {
  assert.deepEqual(press('ArrowLeft'), {step: 19, sought: null});
  assert.deepEqual(press('ArrowRight'), {step: 21, sought: null});
  assert.deepEqual(press('ArrowLeft', {}, true), {step: 10, sought: null});
  assert.deepEqual(press('ArrowRight', {}, true), {step: 30, sought: null});
  assert.deepEqual(press('ArrowLeft', {step: 4}, true), {step: 0, sought: null});
  assert.deepEqual(press('ArrowRight', {step: 38}, true), {step: 40, sought: null});
  assert.deepEqual(press('Home'), {step: 0, sought: null});
  assert.deepEqual(press('End'), {step: 40, sought: null});
});

test('moving stands on the nearest step that has arrived, and seeks the one that was meant', () => {
  const streaming = {trace: traceWith(25, 'streaming')};
  assert.deepEqual(press('End', streaming), {step: 24, sought: 40});
  assert.deepEqual(press('ArrowRight', streaming, true), {step: 24, sought: 30});
  assert.deepEqual(press('ArrowRight', {...streaming, step: 24, sought: 30}), {step: 24, sought: 31});
  assert.deepEqual(press('ArrowLeft', {...streaming, step: 24, sought: 30}, true), {step: 20, sought: null});
});

test('playing', () => {
  assert.deepEqual(press(' '), {playing: true, step: 20});
  assert.deepEqual(press(' ', {playing: true}), {playing: false});
  assert.deepEqual(press(' ', {step: 40}), {playing: true, step: 0});
  assert.deepEqual(press(' ', {step: 40, loop: [30, 40]}), {playing: true, step: 40});
});

test('the loop region', () => {
  assert.deepEqual(press('['), {loop: [20, 40]});
  assert.deepEqual(press(']'), {loop: [0, 20]});
  assert.deepEqual(press(']', {loop: [5, 40]}), {loop: [5, 20]});
  assert.deepEqual(press('[', {loop: [0, 10]}), {loop: [20, 20]});
  assert.deepEqual(press(']', {loop: [30, 35]}), {loop: [20, 20]});
  assert.deepEqual(press('Escape', {loop: [5, 7]}), {loop: null});
  assert.deepEqual(press('Escape', {loop: null}), {zoom: {time: null, location: null, word: null}});
});

test('speeds', () => {
  assert.deepEqual([...'123456789'].map((key) => press(key).speed), [0.25, 0.5, 1, 2, 4, 6, 10, 20, 30]);
  assert.equal(press('0'), null);
});

test('pin, difference, head, help', () => {
  assert.deepEqual(press('p'), {pinned: 20});
  assert.deepEqual(press('P', {pinned: 20, diff: true}), {pinned: null, diff: false});
  assert.deepEqual(press('p', {pinned: 3}), {pinned: 20});
  assert.deepEqual(press('d', {pinned: 3}), {diff: true, pinned: 3});
  assert.deepEqual(press('d'), {diff: true, pinned: 19});
  assert.deepEqual(press('d', {pinned: 3, diff: true}), {diff: false});
  assert.deepEqual(press('h'), {head: 1});
  assert.deepEqual(press('H', {head: 1}), {head: 0});
  assert.equal(press('?'), 'help');
});

test('without a trace no key moves anything', () => {
  const empty = {trace: initialState().trace};
  for (const key of ['ArrowLeft', 'ArrowRight', 'Home', 'End', ' ', '[', ']', 'p', 'd', 'h']) assert.deepEqual(press(key, empty), {}, key);
});

test('other keys are left to the browser', () => {
  for (const key of ['a', 'Tab', 'Enter', 'F5', 'ArrowUp', '10', 'Dead']) assert.equal(press(key), null, key);
});

test('the help names every key', () => {
  const named = KEYS.flatMap(({keys}) => keys).join(' ');
  for (const key of ['←', '→', 'Shift', 'Home', 'End', 'Space', '[', ']', 'Esc', '1', '9', 'P', 'D', 'H', '?']) assert.ok(named.includes(key), key);
});
