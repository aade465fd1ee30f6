// Streams that Python recorded, with the memories that Python says follow from them: the page must find the same bits.

import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {test} from 'node:test';

import {decoded} from '../../frontend/src/streams/decoded.js';
import {framesOf, readTrace} from '../../frontend/src/wire.js';
import {inChunks} from './wire_helper.js';

const recorded = JSON.parse(readFileSync(new URL('recorded_by_python.json', import.meta.url), 'utf8'));

/** The trace of one recording. */
async function recording(wanted, through = (frames) => frames) {
  const {stream} = recorded.find(({name}) => name === wanted);
  const {data} = await readTrace(through(framesOf(inChunks(new Uint8Array(Buffer.from(stream, 'base64'))))), () => {});
  return data;
}

const ways = [['', undefined], [' through the thread that decodes', decoded]];
const each = recorded.flatMap((one) => ways.map(([how, through]) => ({...one, how, through})));

for (const {name, records, how, through} of each) {
  test(`the records of ${name} arrive bit for bit${how}`, async () => {
    const data = await recording(name, through);
    const expected = Buffer.from(records, 'base64');
    const record = expected.length / data.header.steps;
    for (let step = 0; step < data.header.steps; step++) {
      const found = Buffer.concat(data.header.fields.step.map((field) => {
        const numbers = data.at(field.name, step);
        return Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
      }));
      assert.ok(found.equals(expected.subarray(step * record, (step + 1) * record)), `step ${step}`);
    }
  });
}

for (const {name, memory, how, through} of each) {
  test(`the memory of ${name} is rebuilt bit for bit${how}`, async () => {
    const data = await recording(name, through);
    const expected = Buffer.from(memory, 'base64');
    const frame = expected.length / (data.header.steps + 1);
    for (const step of [-1, 19, 3, 0, 18, 7, 15, 16, 1]) {
      const found = data.memory(step);
      const bytes = Buffer.from(found.buffer, found.byteOffset, found.byteLength);
      assert.ok(bytes.equals(expected.subarray((step + 1) * frame, (step + 2) * frame)), `after step ${step}`);
    }
  });
}

test('a head that reads and writes stands twice, with one weighting', async () => {
  const data = await recording('heads that read and write');
  assert.deepEqual(data.header.heads.map(({same_as}) => same_as), [null, null, 0, 1]);
  for (const head of data.writeHeads) {
    const twin = data.header.heads[head].same_as;
    assert.deepEqual(data.at('weighting', 5, head), data.at('weighting', 5, twin));
    assert.deepEqual(data.actingWeighting(5, head), data.at('weighting', 5, twin));
  }
});

test('a machine that addresses last acts with the weighting of the step before', async () => {
  const data = await recording('addressing last');
  assert.deepEqual(data.actingWeighting(4, 1), data.at('weighting', 3, 1));
  assert.deepEqual(data.actingWeighting(0, 1), data.initial('initial_weighting').subarray(5, 10));
});

test('a write head may interpolate with the previous weighting of its read head', async () => {
  const data = await recording("the read head's previous weighting");
  assert.deepEqual(data.previousWeighting(4, 1), data.at('weighting', 3, 0));
  assert.deepEqual(data.previousWeighting(0, 1), data.initial('initial_weighting').subarray(0, 5));
  assert.deepEqual(data.previousWeighting(4, 0), data.at('weighting', 3, 0));
});
