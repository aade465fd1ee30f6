// Steps that have arrived ahead of others: what the page reads of them is what it reads of the whole trace.

import assert from 'node:assert/strict';
import {test} from 'node:test';
import {setFlagsFromString} from 'node:v8';
import {runInNewContext} from 'node:vm';

import {missingIn} from '../../frontend/src/shell/time_band.js';
import {Seen, TraceData} from '../../frontend/src/trace_data.js';
import {timeHeatmap} from '../../frontend/src/views/time_heatmap.js';
import {Series} from '../../frontend/src/views/series.js';
import {SIZE, viewsModel, viewsTrace} from './views_helper.js';

const STEPS = 30;

/** Whole records of a trace, one after another. */
function records(data, first, last) {
  const steps = Array.from({length: last - first}, (_, index) => first + index);
  return Float32Array.from(steps.flatMap((step) => data.header.fields.step.flatMap(({name}) => [...data.at(name, step)])));
}

/** Steps of a whole trace as a trace of their own, as the server sends them. */
function partOf(whole, first, count) {
  const {header} = whole;
  const part = new TraceData({...header, steps: count, axes: {...header.axes, step: count}});
  part.setEpisode(new Float32Array(part.sizes.episode));
  const weightings = header.heads.flatMap((_, head) => [...whole.weightingBefore(first, head)]);
  part.setInitial(Float32Array.from([...whole.memory(first - 1), ...weightings]));
  part.appendSteps(records(whole, first, first + count));
  return part;
}

/** A whole trace, and one of which the first steps and some parts have arrived. */
function example({received = 4, parts = [[12, 5], [20, 3]], acting = 'current', ...changes} = {}) {
  const whole = viewsTrace({steps: STEPS, writers: 2, ...changes});
  const data = viewsTrace({steps: STEPS, writers: 2, ...changes, received});
  for (const one of [whole, data]) one.header.acting_weighting = acting;
  for (const [first, count] of parts) data.addPart(first, partOf(whole, first, count));
  return {whole, data};
}

const HELD = [0, 1, 2, 3, 12, 13, 14, 15, 16, 20, 21, 22];

for (const acting of ['current', 'previous']) {
  for (const order of ['erases_then_adds', 'one_by_one']) {
    test(`a part reads as the whole trace does, bit for bit: ${acting}, ${order}`, () => {
      const {whole, data} = example({write_order: order, acting});
      for (const [first, count] of [[12, 5], [20, 3]]) assert.deepEqual(partOf(whole, first, count).memory(count - 1), whole.memory(first + count - 1));
      for (const step of HELD) {
        for (const name of ['weighting', 'key', 'outputs', 'inputs']) assert.deepEqual(data.at(name, step), whole.at(name, step));
        assert.deepEqual(data.memory(step), whole.memory(step));
        assert.deepEqual(data.memoryFound(step), whole.memoryFound(step));
        assert.deepEqual(data.memoryParts(step), whole.memoryParts(step));
        for (const head of [0, 1, 2]) assert.deepEqual(data.actingWeighting(step, head), whole.actingWeighting(step, head));
      }
    });
  }
}

test('what has arrived and what has not', () => {
  const {data} = example();
  const all = [...Array(STEPS).keys()];
  assert.deepEqual(all.filter((step) => data.holds(step)), HELD);
  assert.deepEqual([-1, STEPS].map((step) => data.holds(step)), [false, false]);
  assert.deepEqual([0, 3, 4, 12, 16, 17, 22, 23].map((step) => data.arrivedFrom(step)), [4, 4, 4, 17, 17, 17, 23, 23]);
  assert.deepEqual([0, 5, 9, 14, 17, 19, 29].map((step) => data.nearest(step)), [0, 3, 12, 14, 16, 20, 22]);
  assert.deepEqual(missingIn(data), [[4, 12], [17, 20], [23, 30]]);
  assert.equal(data.ahead, 8);
  for (const step of [4, 11, 17, 23]) assert.throws(() => data.at('weighting', step), /are here/);
  assert.throws(() => data.memory(17), RangeError);
});

test('parts that touch are one range', () => {
  const {data} = example({parts: [[6, 2], [4, 2], [28, 2]]});
  assert.equal(data.arrivedFrom(1), 8);
  assert.deepEqual(missingIn(data), [[8, 28]]);
});

test('matrices, tracks and scales hold what has arrived, NaN elsewhere, and all in the end', () => {
  const {whole, data} = example();
  const [series, expected] = [new Series(data), new Series(whole)];
  const check = (held) => {
    for (const [found, all] of [...data.matrix('weighting', 1).map((row, at) => [row, whole.matrix('weighting', 1)[at]]),
      [series.track('entropy', 2), expected.track('entropy', 2)]]) {
      all.forEach((value, step) => assert.ok(Object.is(found[step], held(step) ? value : NaN), `step ${step}`));
    }
    const largest = (of) => Math.max(...[...Array(STEPS).keys()].filter(held).map(of));
    const peak = (numbers) => Math.max(...numbers.map(Math.abs));
    assert.equal(series.peak('key'), largest((step) => peak(whole.at('key', step))));
    assert.equal(series.memoryPeak(Infinity), Math.max(peak(whole.memory(-1)), largest((step) => peak(whole.memory(step)))));
    assert.equal(series.memoryPeakKnown, true);
  };
  check((step) => HELD.includes(step));
  data.appendSteps(records(whole, 4, 14));
  assert.equal(series.memoryPeakKnown, false);
  check((step) => step < 14 || HELD.includes(step));
  data.appendSteps(records(whole, 14, STEPS));
  check(() => true);
  assert.equal(data.ahead, 0);
});

test('the scale of memory goes on where it stopped within a part', () => {
  const {whole, data} = example({parts: [[12, 5]]});
  const series = new Series(data);
  for (let call = 0; call < 4 + 5; call++) series.memoryPeak(-1);
  const asked = [];
  data.memory = (step) => asked.push(step) && whole.memory(step);
  series.memoryPeak(Infinity);
  assert.deepEqual(asked, []);
});

test('parts are let go of once the whole trace is there', async () => {
  setFlagsFromString('--expose-gc');
  const {whole, data} = example({parts: []});
  const series = new Series(data);
  const part = (() => {
    const one = partOf(whole, 12, 5);
    data.addPart(12, one);
    return new WeakRef(one);
  })();
  data.matrix('weighting', 1);
  series.track('entropy', 2);
  series.memoryPeak(Infinity);
  data.appendSteps(records(whole, 4, STEPS));
  const collect = runInNewContext('gc');
  for (let tries = 0; tries < 20 && part.deref(); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    collect();
  }
  assert.equal(part.deref(), undefined);
});

test('each step is told once from the start, and once as part', () => {
  const {whole, data} = example({parts: [[6, 2]]});
  const seen = new Seen();
  assert.deepEqual([...data.arrivedSince(seen)], [0, 1, 2, 3, 6, 7]);
  data.appendSteps(records(whole, 4, 7));
  assert.deepEqual([...data.arrivedSince(seen)], [4, 5, 6]);
  assert.deepEqual([...data.arrivedSince(seen)], []);
});

test('a plot over all steps shows what is missing as missing, one step a column and many', () => {
  const plot = timeHeatmap({
    id: 'weighting', title: '', symbol: '', caption: '', height: 200, rowLink: null, rowAxis: () => ({title: '', range: [4.5, -0.5]}),
    layers: ({data}) => [{rows: data.matrix('weighting', 1), scale: {low: 0, high: 1}, bar: null}], depends: () => [], read: () => 'a value',
  });
  const {whole, data} = example();
  const [rows] = plot.cells(viewsModel(data), SIZE).layers.map((layer) => layer.rows);
  rows[0].forEach((value, step) => assert.ok(Object.is(value, HELD.includes(step) ? whole.value('weighting', step, 1, 0) : NaN)));
  assert.equal(plot.read(viewsModel(data), 21, 0), 'a value');
  assert.equal(plot.read(viewsModel(data), 20, 0), 't = 20: has not arrived yet');
  const narrow = plot.cells(viewsModel(data), {width: 110, height: 200});
  assert.ok(narrow.width > 1, 'there is less room than there are steps');
  narrow.layers[0].rows[0].forEach((value, column) => {
    assert.equal(Number.isNaN(value), !HELD.includes(column * narrow.width), `column ${column}`);
  });
});
