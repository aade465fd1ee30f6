import assert from 'node:assert/strict';
import {test} from 'node:test';

import {createSpeed} from '../../frontend/src/shell/run_speed.js';

/** What is said of a run at moments: [milliseconds, iteration, status, id]. */
function speeds(...moments) {
  let now = 0;
  const speed = createSpeed(() => now);
  return moments.map(([at, iteration, status = 'running', id = 'one']) => {
    now = at;
    return speed({id, status, progress: iteration === null ? null : {iteration}});
  });
}

test('a speed is what was done while it was watched', () => {
  assert.deepEqual(speeds([0, 500], [200, 600], [400, 700], [600, 800]), [null, null, null, 500]);
});

test('it is that of the last seconds', () => {
  assert.equal(speeds([0, 0], [1000, 1], [2000, 2], [5000, 302], [6000, 402]).at(-1), 100);
});

test('a slow run has a speed too, and keeps it from one iteration to the next', () => {
  assert.deepEqual(speeds([0, 0], [10_000, 1], [20_000, 2], [25_000, 2], [30_000, 3]), [null, null, 0.1, 0.1, 0.1]);
});

test('what a run waited for before it went on is not counted, nor what it lost', () => {
  assert.deepEqual(speeds([0, 0], [500, 100], [1000, 200], [1200, 200, 'paused'], [9000, 200], [9500, 300], [10_000, 350]).at(-1), 100);
  assert.deepEqual(speeds([0, 0], [500, 5000], [1000, 6000], [2000, 4900], [2500, 4950], [3000, 5000]).slice(3), [null, null, 100]);
});

test('another run begins anew, as does one that has not begun', () => {
  assert.deepEqual(speeds([0, 0], [500, 100], [1000, 200], [1500, 900, 'running', 'two'], [2000, null, 'running', 'two'], [2500, 0, 'running', 'two']).slice(3), [null, null, null]);
});
