import assert from 'node:assert/strict';
import {test} from 'node:test';

import {historyOf, historyOfRun} from '../../frontend/src/shell/training_bar.js';

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

test('the newest machine of a run is that of its last live checkpoint, or of its end', () => {
  const about = (status, progress, series = [0, 10]) => historyOfRun({id: 'run-1', status, series, progress})?.newest;
  assert.equal(about('running', {iteration: 18, live: 15}), 'now: iteration 15');
  assert.equal(about('finished', {iteration: 20_000, live: 19_850}), 'iteration 20,000');
  assert.equal(about('paused', {iteration: 18, live: null}), 'now: iteration 10');
  assert.equal(about('running', null, [0]), 'now: iteration 0');
  assert.equal(about('running', null, []), undefined);
});
