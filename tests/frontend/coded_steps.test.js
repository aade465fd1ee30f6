import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {test} from 'node:test';

import {exponential, logarithm} from '../../frontend/src/prediction.js';
import {FrameParser, KIND, TraceReader} from '../../frontend/src/wire.js';
import {WireError} from '../../frontend/src/wire_error.js';
import {jsonFrame, random} from './wire_helper.js';

const recorded = JSON.parse(readFileSync(new URL('recorded_by_python.json', import.meta.url), 'utf8'));
const frames = new FrameParser().push(new Uint8Array(Buffer.from(recorded[0].stream, 'base64')));
const header = JSON.parse(new TextDecoder().decode(frames[0].payload));
const coded = frames.find(({kind}) => kind === KIND.codedSteps);

/** A reader that has everything before the first step. */
function begun() {
  const reader = new TraceReader();
  frames.slice(0, 3).forEach((frame) => reader.accept(frame));
  return reader;
}

/** The first frame of steps with some bytes changed. */
const changed = (change) => ({kind: KIND.codedSteps, payload: change(coded.payload.slice())});

const counted = (count) => (payload) => {
  new DataView(payload.buffer).setUint32(0, count, true);
  return payload;
};

test('exp and log are near those of mathematics', () => {
  for (let x = -104; x <= 0; x += 0.037) assert.ok(Math.abs(exponential(x) / Math.exp(x) - 1) < 1e-9);
  for (let x = 1e-37; x < 1e37; x *= 1.37) {
    const number = Math.fround(x);
    assert.ok(Math.abs(logarithm(number) - Math.log(number)) <= 1e-10 * Math.abs(Math.log(number)));
  }
  assert.equal(exponential(0), 1);
  assert.equal(logarithm(1), 0);
});

const broken = [
  ['no step', counted(0), /holds 0 coded steps; it must hold 1 to 20/],
  ['more steps than are to come', counted(21), /holds 21 coded steps/],
  ['a huge number of steps', counted(2 ** 32 - 1), /holds 4294967295/],
  ['more steps than it has numbers for', counted(20), /too short|its widths ask for/],
  ['nothing', () => new Uint8Array(0), /holds 0 coded steps/],
  ['too little', (payload) => payload.slice(0, -4), /its widths ask for/],
  ['too much', (payload) => new Uint8Array([...payload, 0, 0, 0, 0]), /its widths ask for/],
];
for (const [name, change, message] of broken) {
  test(`a frame with ${name} is refused`, () => {
    const reader = begun();
    assert.throws(() => reader.accept(changed(change)), (error) => error instanceof WireError && message.test(error.message));
    assert.equal(reader.data.received, 0);
  });
}

test('a damaged frame is refused with a word, or read', () => {
  const next = random(3);
  for (let round = 0; round < 300; round++) {
    const reader = begun();
    const at = Math.floor(next() * coded.payload.length);
    try {
      reader.accept(changed((payload) => { payload[at] = 256 * next(); return payload; }));
    } catch (error) {
      assert.ok(error instanceof WireError, String(error));
    }
  }
});

test('whole records are refused where steps are coded, and coded ones where they are not', () => {
  assert.throws(() => begun().accept({kind: KIND.steps, payload: new Uint8Array(8)}), /coding asks for the other one/);
  const plain = new TraceReader();
  plain.accept({kind: KIND.header, payload: jsonFrame(1, {...header, coding: {}}).slice(8)});
  assert.throws(() => plain.accept(coded), /coding asks for the other one/);
});

test('coded steps before the initial state are refused', () => {
  const reader = new TraceReader();
  reader.accept(frames[0]);
  assert.throws(() => reader.accept(coded), /initial block of this trace has not arrived/);
});

const badHeaders = [
  ['an unknown rule', {coding: {weighting: 'magic'}}, /unknown rule 'magic'/],
  ['a field that is never coded', {coding: {key: 'cosine'}}, /'key' is coded/],
  ['a name of an object', {coding: {constructor: 'x'}}, /unknown rule/],
  ['float64', {dtype: 'float64'}, /only float32 is coded/],
  ['a memory for too few heads', {seen_memory: ['found']}, /for each of 2 heads/],
  ['an unknown memory', {seen_memory: ['found', 'lost']}, /for each of 2 heads/],
  ['too few shifts', {shifts: [0]}, /as many as its axes say/],
  ['a field of other axes', {fields: {...header.fields, step: header.fields.step.map((field) => (field.name === 'key' ? {...field, axes: ['word']} : field))}}, /need field 'key'/],
];
for (const [name, change, message] of badHeaders) {
  test(`a header with ${name} is refused`, () => {
    const payload = jsonFrame(1, {...header, ...change}).slice(8);
    assert.throws(() => new TraceReader().accept({kind: KIND.header, payload}), message);
  });
}
