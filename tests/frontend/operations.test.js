// The operations of a head, held against what Python found in the same traces, and against numbers worked out by hand.

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {distance, operationAt, operationNames, partsAt, peaked} from '../../frontend/src/views/operations.js';
import {analysed, traceOf} from './analysed_helper.js';

function near(found, expected, what) {
  assert.ok(Math.abs(found - expected) < 1e-9, `${what}: ${found} instead of ${expected}`);
}

for (const {name, operations} of analysed) {
  test(`the operations of ${name} are those that Python finds`, async () => {
    const data = await traceOf(name);
    const names = operationNames(data.header.shifts);
    for (let step = 0; step < data.received; step++) {
      for (let head = 0; head < data.header.heads.length; head++) {
        const found = operationAt(data, step, head);
        assert.equal(found.operation, operations.operation[step][head], `step ${step}, head ${head}`);
        assert.equal(found.displacement, operations.displacement[step][head]);
        near(found.contentShare, operations.contentShare[step][head], 'content');
        near(found.locationShare, operations.locationShare[step][head], 'location');
        assert.ok(found.remainder < 1e-6);
        assert.ok(names.includes(found.operation));
      }
    }
  });

  test(`the two parts of ${name} sum to w~`, async () => {
    const data = await traceOf(name);
    const {content, location} = partsAt(data, 7, 1);
    data.at('shifted_weighting', 7, 1).forEach((whole, i) => assert.ok(Math.abs(content[i] + location[i] - whole) < 1e-6));
  });
}

test('the nearer way round counts, on a circle only', () => {
  assert.deepEqual([[1, 2], [7, 0], [0, 7], [0, 4], [4, 0]].map(([was, now]) => distance(was, now, 8, true)), [1, 1, -1, 4, 4]);
  assert.deepEqual([[7, 0], [0, 7]].map(([was, now]) => distance(was, now, 8, false)), [-7, 7]);
  assert.equal(distance(0, 3, 5, true), -2);
});

test('a weighting is peaked where half of it is', () => {
  assert.equal(peaked(Float64Array.of(0.5, 0.25, 0.25)), true);
  assert.equal(peaked(Float64Array.of(0.1, 0.05, 0)), true);
  assert.equal(peaked(Float64Array.of(0.49, 0.26, 0.25)), false);
  assert.equal(peaked(Float64Array.of(0, 0, 0)), false);
});

test('an operation of numbers that are missing is unknown', async () => {
  const data = await traceOf("the paper's way");
  data.at('content_weighting', 4, 0).fill(NaN);
  assert.equal(operationAt(data, 4, 0).operation, 'unknown');
});

test('the weightings alone tell that a head held', async () => {
  const data = await traceOf("the paper's way");
  for (const name of ['content_weighting', 'shifted_weighting', 'shift_weighting']) data.at(name, 4, 0).fill(NaN);
  for (const name of ['interpolation_gate', 'sharpening']) data.at(name, 4)[0] = NaN;
  data.at('weighting', 4, 0).set(data.at('weighting', 3, 0));
  assert.equal(operationAt(data, 4, 0).operation, 'hold');
  data.at('weighting', 4, 0)[0] = NaN;
  assert.equal(operationAt(data, 4, 0).operation, 'unknown');
});

test('what was replaced by the content weighting came through content', async () => {
  const data = await traceOf('shifts by two, up to the edge');
  data.at('content_weighting', 4, 0).set([0, 0, 0, 0, 0, 0, 1]);
  data.at('interpolation_gate', 4)[0] = 0.1;
  data.at('weighting', 4, 0).set(data.at('content_weighting', 4, 0));
  const {operation, contentShare, remainder} = operationAt(data, 4, 0);
  assert.deepEqual([operation, contentShare, remainder], ['content jump', 1, 0]);
});
