import assert from 'node:assert/strict';
import {test} from 'node:test';

import {areaOf, barPaths, rangeIn, stepEdges, stepHeights, stepPaths} from '../../frontend/src/plotly.js';

const AREA = areaOf({width: 150, height: 130, margin: {l: 40, r: 10, t: 20, b: 10}}, [0, 10], [0, 1]);

test('fixed margins say where the axes lie', () => {
  assert.deepEqual(AREA, {left: 40, top: 20, width: 100, height: 100, x: [0, 10], y: [0, 1]});
});

test('a zoom is told from a move of the cursor', () => {
  assert.equal(rangeIn({shapes: []}, 'xaxis'), null);
  assert.equal(rangeIn({'xaxis.autorange': true}, 'xaxis'), null);
  assert.deepEqual(rangeIn({'xaxis.range[0]': 2.5, 'xaxis.range[1]': 7}, 'xaxis'), [2.5, 7]);
  assert.deepEqual(rangeIn({'yaxis.range': [9, 1]}, 'yaxis'), [1, 9]);
  assert.equal(rangeIn({'xaxis.range': [2, 7]}, 'yaxis'), null);
});

test('bars stand on zero, in pixels of the plot area', () => {
  assert.deepEqual(barPaths(AREA, [2, 4], [0.25, 1], 1), ['M15,100V75H25V100Z', 'M35,100V0H45V100Z']);
  assert.deepEqual(barPaths(AREA, [2], [NaN], 1), ['M15,100V100H25V100Z']);
});

test('a step chart turns only where the height on screen changes', () => {
  const area = {...AREA, x: [-0.5, 4.5]};
  const {line, fill} = stepPaths(area, [0, 1e-9, 0.5, 0.5, 0]);
  assert.equal(line, 'M0,100H40V50H80V100H100');
  assert.equal(fill, 'M0,100H40V50H80V100H100V100H0Z');
  assert.equal(stepPaths(area, new Float32Array(5)).line, 'M0,100H100');
  const gaps = stepPaths(area, [NaN, 0.5, 0.5, Infinity, 1]);
  assert.deepEqual(gaps, {line: 'M20,50H60M80,0H100', fill: 'M20,50H60V100H20ZM80,0H100V100H80Z'});
  assert.deepEqual(stepPaths(area, [NaN]), {line: '', fill: ''});
});

test('the same step chart for Plotly: both ends of each tread', () => {
  assert.deepEqual([...stepEdges(3)], [-0.5, 0.5, 0.5, 1.5, 1.5, 2.5]);
  assert.deepEqual([...stepHeights([7, 8, 9])], [7, 7, 8, 8, 9, 9]);
});
