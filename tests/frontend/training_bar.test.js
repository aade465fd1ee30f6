import assert from 'node:assert/strict';
import {test} from 'node:test';

import {historyOf} from '../../frontend/src/shell/training_bar.js';

const checkpoint = (training, series = [0, 10]) => ({id: 'copy-lstm', series, training: {iterations: 14_500, converged_at: 40, ...training}});

test('the history of a shipped machine has the marks of its training', () => {
  const marks = {diagonal: 20, content_jump: null, converged: 40};
  assert.deepEqual(historyOf(checkpoint({marks})), {id: 'copy-lstm', series: [0, 10], newest: 'iteration 14,500', marks});
});

test('an older file tells of its convergence alone', () => {
  assert.deepEqual(historyOf(checkpoint({})).marks, {converged: 40});
  assert.deepEqual(historyOf(checkpoint({marks: null})).marks, {converged: 40});
});

test('without a series there is nothing to scrub through', () => {
  assert.equal(historyOf(checkpoint({}, [])), null);
  assert.equal(historyOf(undefined), null);
});
