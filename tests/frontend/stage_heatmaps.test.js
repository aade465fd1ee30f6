import assert from 'node:assert/strict';
import {test} from 'node:test';

import {stageHeatmaps} from '../../frontend/src/compare/stage_heatmaps.js';
import {turned} from '../../frontend/src/compare/stage_group.js';
import {newColumn} from '../../frontend/src/compare/columns.js';
import {initialState} from '../../frontend/src/state.js';
import {fromHash, toHash} from '../../frontend/src/url_state.js';
import {SIZE, viewsModel, viewsTrace} from './views_helper.js';

const FIELDS = ['content_weighting', 'gated_weighting', 'shifted_weighting'];

test('every stage before the weighting is drawn as it was recorded, for the selected head', () => {
  const data = viewsTrace();
  const plots = stageHeatmaps();
  assert.deepEqual(plots.map(({title}) => title), ['Content', 'Gated', 'Shifted']);
  for (const head of [0, 1]) {
    const model = viewsModel(data, {head});
    plots.forEach((plot, at) => {
      const rows = plot.cells(model, SIZE).layers[0].rows;
      const recorded = Array.from({length: 5}, (_, row) => Array.from({length: 6}, (__, step) => data.value(FIELDS[at], step, head, row)));
      assert.deepEqual(rows.map((row) => [...row]), recorded);
    });
  }
});

test('another head, scale or pinned step draws it anew, another step does not', () => {
  const model = viewsModel(viewsTrace());
  const [content] = stageHeatmaps();
  const depends = (changes) => content.depends({...model, ...changes});
  assert.deepEqual(depends({step: 3}), depends({}));
  for (const changes of [{head: 1}, {reference: 2}, {scale: {...model.scale, weighting: 'log'}}]) assert.notDeepEqual(depends(changes), depends({}));
});

test('a hover names step, location, head and stage, and against a pinned step the difference', () => {
  const data = viewsTrace();
  const [, gated] = stageHeatmaps();
  const [first, second, third] = gated.read(viewsModel(data, {head: 1, reference: 0}), 3, 2).split('\n');
  assert.equal(first, 't = 3 · location 2 · write 0');
  const [there, pinned] = [2, 0].map((step) => data.value('gated_weighting', step, 1, 2));
  assert.ok(Math.abs(Number(second.replace('w^g = ', '')) - there) < 1e-6, second);
  assert.ok(Math.abs(Number(third.replace('− pinned = ', '').replace('−', '-')) - (there - pinned)) < 1e-12, third);
  assert.equal(gated.read(viewsModel(data), 3, 5), null);
});

test('stages are closed until they are opened, and the address says so', () => {
  const request = {checkpoint: 'one', task: null, seed: 0, initial_seed: 0, inputs: null, mode: 'full', interventions: [], leave_constraints: false};
  const column = newColumn({checkpoint: 'two', mode: 'full', interventions: [], leave_constraints: false});
  const closed = {...initialState(), request, columns: [column]};
  const open = {...closed, ...turned(closed)};
  assert.ok(!toHash(closed).includes('stages='), toHash(closed));
  assert.equal(fromHash(toHash(open)).compare.view.stages, 'open');
  assert.deepEqual(turned(open).compare, closed.compare);
  assert.equal(fromHash('#stages=1').problems.length, 1);
});
