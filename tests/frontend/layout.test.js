import assert from 'node:assert/strict';
import {test} from 'node:test';

import {cursorShapes, phaseLines, phaseStarts, pinShapes, roundTicks, visible, wholeTicks} from '../../frontend/src/views/layout.js';
import {modelOf, roundedUp} from '../../frontend/src/views/model.js';
import {logarithmic, scaledWeighting, signedScale, weightingScale} from '../../frontend/src/views/scales.js';
import {Series} from '../../frontend/src/views/series.js';
import {THEME, viewsModel, viewsTrace} from './views_helper.js';
import {initialState} from '../../frontend/src/state.js';

test('ticks are whole, at a round distance, and not too many', () => {
  assert.deepEqual(wholeTicks([0.5, 41.5], 9), [5, 10, 15, 20, 25, 30, 35, 40]);
  assert.deepEqual(wholeTicks([127.5, -0.5], 8), [0, 20, 40, 60, 80, 100, 120]);
  assert.deepEqual(wholeTicks([2.5, 4.5], 10), [3, 4]);
  assert.deepEqual(roundTicks([-0.06, 1.06], 4), [0, 0.5, 1]);
  assert.deepEqual(roundTicks([0, 0.3], 3), [0, 0.1, 0.2, 0.3]);
});

test('a zoom is held within its axis, and one that shows nothing of it is ignored', () => {
  assert.deepEqual(visible(null, [0.5, 41.5]), [0.5, 41.5]);
  assert.deepEqual(visible([20.5, 10.5], [0.5, 41.5]), [10.5, 20.5]);
  assert.deepEqual(visible([30, 400], [0.5, 41.5]), [30, 41.5]);
  assert.deepEqual(visible([100, 120], [0.5, 41.5]), [0.5, 41.5]);
});

test('phases start where they change', () => {
  assert.deepEqual(phaseStarts([0, 0, 1, 2, 2]), [0, 2, 3]);
  const data = viewsTrace({steps: 6});
  assert.deepEqual(phaseLines(viewsModel(data), [4.5, -0.5]).x, [2.5, 2.5, null, 3.5, 3.5, null]);
});

test('the cursor and the pinned step frame their columns', () => {
  for (const frame of cursorShapes({step: 3, theme: THEME})) assert.deepEqual([frame.x0, frame.x1, frame.yref], [3.5, 4.5, 'paper']);
  assert.deepEqual(pinShapes({pinned: null, theme: THEME}), []);
  assert.deepEqual(pinShapes({pinned: 1, theme: THEME}).map(({x0, x1}) => [x0, x1]), [[1.5, 2.5], [1.5, 2.5]], 'the line and its edge');
});

test('weightings have a scale from 0 to 1 whatever the data, unless another is chosen', () => {
  const model = viewsModel(viewsTrace());
  const fixed = weightingScale(model);
  assert.deepEqual([fixed.low, fixed.high], [0, 1]);
  const row = Float32Array.of(0, 1e-9, 1e-6, 1e-3, 1, NaN);
  assert.equal(scaledWeighting(model, row, null), row);
  const log = {...model, scale: {...model.scale, weighting: 'log'}};
  assert.deepEqual([weightingScale(log).low, weightingScale(log).high], [0, 6]);
  [...logarithmic(row)].forEach((value, index) => {
    const expected = [0, 0, 0, 3, 6, NaN][index];
    assert.ok(Object.is(value, expected) || Math.abs(value - expected) < 1e-6, `${value} is not ${expected}`);
  });
  const difference = {...model, reference: 2};
  assert.deepEqual([weightingScale(difference).low, weightingScale(difference).high], [-1, 1]);
  assert.deepEqual([...scaledWeighting(difference, [0.5, 1], 0.25)], [0.25, 0.75]);
  assert.deepEqual([...scaledWeighting(difference, [0.5, 1], [0.5, 0.25])], [0, 0.75]);
});

test('signed values have zero in the middle, and readable ends', () => {
  assert.deepEqual(signedScale(5.1, viewsModel(viewsTrace())).ticks, [-5.1, -2.5, 0, 2.5, 5.1]);
  assert.deepEqual([roundedUp(5.042), roundedUp(0.93), roundedUp(1e-6), roundedUp(0), roundedUp(100), roundedUp(Infinity)], [5.1, 0.93, 1e-6, 1, 100, 1]);
});

test('a model holds the cursor, the head and the pin within what has arrived', () => {
  const data = viewsTrace({steps: 6, received: 4});
  const state = {
    ...initialState(), step: 5, head: 9, pinned: 5, diff: true,
    trace: {status: 'streaming', data, received: 4, error: null, end: null, retry_at: null},
  };
  const model = modelOf(state, new Series(data), THEME);
  assert.deepEqual([model.step, model.head, model.pinned, model.reference, model.complete], [3, 1, 3, 3, false]);
  assert.equal(modelOf({...state, diff: false}, new Series(data), THEME).reference, null);
  const nothing = viewsTrace({steps: 6, received: 0});
  assert.equal(modelOf({...state, trace: {...state.trace, data: nothing}}, new Series(nothing), THEME), null);
});
