import assert from 'node:assert/strict';
import {test} from 'node:test';

import {divergenceText, firstDivergence} from '../../frontend/src/compare/first_divergence.js';
import {lookOf, operationTrack, runsOf, sharesText} from '../../frontend/src/compare/operation_track.js';
import {COMPARED} from '../../frontend/src/views/divergence.js';
import {operationAt, operationNames} from '../../frontend/src/views/operations.js';
import {viewsTrace} from './views_helper.js';

test('a track has the operation of every step that has arrived, and grows with the trace', () => {
  const whole = viewsTrace();
  const data = viewsTrace({received: 2});
  assert.equal(operationTrack(data, 1).length, 2);
  for (let step = 2; step < 6; step++) data.appendSteps(new Float32Array(data.sizes.step).fill(0.2));
  assert.equal(operationTrack(data, 1).length, 6);
  assert.deepEqual(operationTrack(whole, 0).map(({operation}) => operation), Array.from({length: 6}, (_, step) => operationAt(whole, step, 0).operation));
});

test('every operation has a look, and opposite shifts have different ones', () => {
  assert.deepEqual(operationNames([-1, 0, 1]).map(lookOf), ['content', 'back', 'stay', 'forward', 'hold', 'mixed', 'unknown']);
  assert.equal(lookOf('shift +2'), 'forward');
});

test('steps in a row of one look are one cell', () => {
  const track = ['hold', 'hold', 'shift +1', 'shift +2', 'hold'].map((operation) => ({operation}));
  assert.deepEqual(runsOf(track), [
    {look: 'hold', start: 0, length: 2}, {look: 'forward', start: 2, length: 2}, {look: 'hold', start: 4, length: 1}]);
  assert.deepEqual(runsOf([]), []);
});

test('shares are per cent, and a dash where w~ is nothing', () => {
  assert.equal(sharesText({contentShare: 0.254, locationShare: 0.746}), '25 % / 75 %');
  assert.equal(sharesText({contentShare: NaN, locationShare: NaN}), '–');
});

test('where two traces first part is named by step, stage and head', () => {
  const [a, b] = [viewsTrace({seed: 1}), viewsTrace({seed: 1})];
  assert.match(divergenceText(firstDivergence(a, b, null)), /^Equal to A in all 6 steps/);
  const c = viewsTrace({seed: 1});
  c.at('weighting', 3, 1)[2] += 0.25;
  const parting = firstDivergence(a, c, null);
  assert.equal(divergenceText(parting), 'Parts from A at t = 4: weighting w of write 0, |Δ| up to 0.250.');
  assert.equal(firstDivergence(a, c, null), parting);
  assert.notEqual(firstDivergence(b, c, null), parting);
  assert.equal(divergenceText({steps: 3, first: null, skipped: ['inputs', 'outputs']}),
    'Equal to A in what both have, in all 3 steps, to within 10⁻⁶. Of other sizes, so not compared: input, output.');
  assert.equal(divergenceText({steps: 3, first: null, skipped: COMPARED}), 'Nothing in this column has the sizes that it has in A: not compared.');
});
