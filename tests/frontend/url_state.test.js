import assert from 'node:assert/strict';
import {test} from 'node:test';

import {initialState} from '../../frontend/src/state.js';
import {beyond, fromHash, packRows, toHash, unpackRows} from '../../frontend/src/url_state.js';
import {random} from './wire_helper.js';

const request = {checkpoint: 'copy-lstm', task: {name: 'copy', bits: 8, lengths: [20, 20]}, seed: 0, initial_seed: 0, inputs: null, mode: 'full', interventions: [], leave_constraints: false};
const plain = {...initialState(), request};

test('a plain view is a short, readable hash', () => {
  assert.equal(toHash(plain), "#checkpoint=copy-lstm&task={'name':'copy','bits':8,'lengths':[20,20]}&seed=0&t=1&head=0");
  assert.equal(toHash(initialState()), '');
});

test('the whole view survives the round trip', () => {
  const inputs = [[0, 1, 1], [1, 0, 0], [0, 0.5, -3.25]];
  const view = {
    step: 22, head: 1, pinned: 4, diff: true, speed: 0.25, loop: [3, 30],
    scale: {weighting: 'log', memory: 'fixed', key_strength: 'log'}, output_view: 'error',
    zoom: {time: [5.5, 20.5], location: null, word: [-0.5, 3]},
  };
  const state = {...plain, ...view, request: {...request, seed: 4294967295, initial_seed: 11, inputs}};
  state.request.mode = 'content_only';
  state.request.leave_constraints = true;
  state.request.interventions = [
    {quantity: 'interpolation_gate', operation: 'set', heads: ['read 0'], steps: [4, 5], value: 1.5},
    {quantity: 'shift_weighting', operation: 'set', value: [0, 0.25, 0.75]},
  ];
  const place = fromHash(toHash(state));
  assert.deepEqual(place.request, state.request);
  assert.deepEqual(place.view, view);
  assert.deepEqual(place.problems, []);
});

test('what is changed reads well in a link', () => {
  const interventions = [{quantity: 'sharpening', operation: 'set', steps: [4, 5], value: 1}];
  const hash = toHash({...plain, request: {...request, mode: 'no_shift', interventions, leave_constraints: true}});
  assert.ok(hash.includes("&mode=no_shift&edits=[{'quantity':'sharpening','operation':'set','steps':[4,5],'value':1}]&unconstrained=1&t=1"));
});

test('the defaults come back from an empty hash', () => {
  for (const hash of ['', '#']) {
    const {request: asked, view, problems} = fromHash(hash);
    assert.deepEqual(asked, {checkpoint: null, task: null, seed: 0, initial_seed: 0, inputs: null, mode: 'full', interventions: [], leave_constraints: false});
    const {step, head, pinned, diff, speed, loop, scale, output_view, zoom} = initialState();
    assert.deepEqual(view, {step, head, pinned, diff, speed, loop, scale, output_view, zoom});
    assert.deepEqual(problems, []);
  }
});

test('a task as plain JSON is read as well, and an apostrophe in a task does no harm', () => {
  assert.deepEqual(fromHash(`#task=${encodeURIComponent('{"name":"copy"}')}`).request.task, {name: 'copy'});
  const odd = {name: "o'clock", note: 'a "quote"'};
  assert.deepEqual(fromHash(toHash({...plain, request: {...request, task: odd}})).request.task, odd);
});

const hostile = [
  'checkpoint=../../etc/passwd', 'checkpoint=%3Cscript%3E', `checkpoint=${'a'.repeat(101)}`, 'checkpoint=%E0%A4%A', 'task={', 'task=[]', 'task=null',
  'task={}', "task={'name':7}", 'seed=-1', 'seed=4294967296', 'seed=1e3', 'seed=', 'seed=NaN', 'start=-1', 't=0', 't=-3', 't=99999999', 't=1.5', 'head=-1', 'head=x',
  'pin=0', 'diff=yes', 'loop=5-3', 'loop=5', 'loop=1-2-3', 'loop=a-b', 'speed=0', 'speed=31', 'speed=', 'speed=fast', 'weighting=huge', 'memory=',
  'key_strength=x', 'output=x', 'zoom_time=5', 'zoom_time=3,3', 'zoom_time=1,2,3', 'zoom_word=NaN,3', 'zoom_location=1e9,2e9',
  'mode=', 'mode=Full', 'mode=../x', 'edits=', 'edits={}', 'edits=[7]', "edits=[{'quantity':'memory'}]", "edits=[{'quantity':'soul','operation':'set','value':1}]",
  "edits=[{'quantity':'key','operation':'set','value':'1'}]", "edits=[{'quantity':'key','operation':'set','value':1,'extra':1}]",
  "edits=[{'quantity':'key','operation':'set','value':1,'steps':[2,1]}]", 'unconstrained=yes', "edits=[{'quantity':null,'operation':null}]",
  'inputs=', 'inputs=2x2.', 'inputs=2x2.####', 'inputs=0x3.AA', 'inputs=9999999x9999.AA', 'inputs=2x2f.AAAA', 'inputs=1x1f.AADAfw', 'inputs=1x1f.AACAfw',
  '__proto__=1', 'constructor=1', 'toString=', 'unknown=1', '%=%', 't', '=',
];
for (const hash of hostile) {
  test(`a hostile part is told of and ignored: ${hash.slice(0, 40)}`, () => {
    const place = fromHash(`#${hash}`);
    assert.equal(place.problems.length, 1);
    const {request: asked, view} = fromHash('');
    assert.deepEqual(place.request, asked);
    assert.deepEqual(place.view, view);
  });
}

test('one bad part leaves the good ones', () => {
  const place = fromHash('#checkpoint=copy-lstm&t=7&loop=9-2&seed=3');
  assert.deepEqual([place.request.checkpoint, place.request.seed, place.view.step, place.view.loop], ['copy-lstm', 3, 6, null]);
  assert.equal(place.problems.length, 1);
});

test('a hash too long to be ours is left alone', () => {
  const place = fromHash(`#t=5&${'x'.repeat(2_000_001)}`);
  assert.equal(place.view.step, 0);
  assert.match(place.problems[0], /at most 2000000/);
});

test('rows of bits take a bit a cell, other numbers float32', () => {
  const next = random(3);
  const bits = Array.from({length: 41}, () => Array.from({length: 9}, () => Number(next() > 0.5)));
  const packed = packRows(bits);
  assert.match(packed, /^41x9\.[\w-]+$/);
  assert.ok(packed.length < 75);
  assert.deepEqual(unpackRows(packed), bits);
  const numbers = bits.map((row) => row.map(() => Math.fround(next() - 0.5)));
  assert.match(packRows(numbers), /^41x9f\./);
  assert.deepEqual(unpackRows(packRows(numbers)), numbers);
});

test('many bad parts are summed up', () => {
  const {problems} = fromHash(`#${Array.from({length: 500}, (_, at) => `x${at}=1`).join('&')}`);
  assert.equal(problems.length, 4);
  assert.match(problems[3], /^And 497 more parts/);
});

test('a zoom whose ends stand the other way round is read as it was meant', () => {
  assert.deepEqual(fromHash('#zoom_location=90.24,21.22').view.zoom.location, [21.22, 90.24]);
});

test('what a link says of steps and heads that a run does not have is told', () => {
  const header = {steps: 21, heads: [{name: 'read 0'}, {name: 'write 0'}]};
  const told = (hash) => beyond(fromHash(hash).view, header);
  assert.deepEqual(told('#t=21&head=1&pin=21&loop=1-21'), []);
  assert.deepEqual(told('#t=99999'), ['The link says t = 99999, but this run ends at t = 21.']);
  assert.deepEqual(told('#t=3&head=2&pin=22&loop=5-22'), [
    'The link says head = 2, but the last of this machine is 1.',
    'The link says pin = 22, but this run ends at t = 21: nothing is pinned.',
    'The link says loop = 5-22, but this run ends at t = 21.',
  ]);
});
