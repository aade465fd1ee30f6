import assert from 'node:assert/strict';
import {test} from 'node:test';

import {columnsOf, stepsOf} from '../../frontend/src/level_of_detail.js';
import {areaOf} from '../../frontend/src/plotly.js';
import {inputPlot, outputPlot, verdictOn} from '../../frontend/src/views/episode_plots.js';
import {exact} from '../../frontend/src/views/format.js';
import {vectorPlot, weightingPlot} from '../../frontend/src/views/head_plots.js';
import {kernelPlot} from '../../frontend/src/views/kernel_plot.js';
import {identityGap, memoryPlot} from '../../frontend/src/views/memory_plots.js';
import {titleLines} from '../../frontend/src/views/panel.js';
import {logarithmic} from '../../frontend/src/views/scales.js';
import {Series} from '../../frontend/src/views/series.js';
import {stagePlot} from '../../frontend/src/views/stage_plots.js';
import {STAGES, ghostValues, stageValues} from '../../frontend/src/views/stages.js';
import {TRACK_NAMES, dashes, sharedDashes, sharedLine, logarithmicAxis, trackPlot} from '../../frontend/src/views/track_plots.js';
import {SIZE, viewsModel, viewsTrace} from './views_helper.js';
import {random} from './wire_helper.js';

function everyPlot(header) {
  return [
    inputPlot(), outputPlot(), vectorPlot('write'), vectorPlot('read'), ...header.heads.map((_, head) => weightingPlot(header, head)),
    ...STAGES.map(stagePlot), kernelPlot(), ...['before', 'erased', 'added', 'after'].map(memoryPlot), ...TRACK_NAMES.map(trackPlot),
  ];
}

test('every plot has its own id, a title, a caption, and axes with titles that fit its margins', () => {
  const model = viewsModel(viewsTrace({writers: 2}));
  const plots = everyPlot(model.data.header);
  assert.equal(new Set(plots.map(({id}) => id)).size, plots.length);
  for (const plot of plots) {
    assert.ok(plot.title && plot.symbol && plot.caption.endsWith('.'), plot.id);
    const {traces, layout} = plot.figure(model, SIZE);
    assert.ok(traces.length > 0, plot.id);
    const named = layout.xaxis.title.text !== '' || layout.annotations.some(({text}) => text.startsWith('location'));
    assert.ok(named && layout.yaxis.title.text !== '', plot.id);
    assert.equal(layout.margin.autoexpand, false, plot.id);
    assert.deepEqual(plot.area(model, SIZE), areaOf(layout, layout.xaxis.range, layout.yaxis.range), plot.id);
  }
});

test('a heatmap has the numbers of the trace and a fixed scale; its cells on the canvas are the same', () => {
  const data = viewsTrace();
  const model = viewsModel(data, {step: 4});
  const plot = weightingPlot(data.header, 1);
  const {traces: [map], layout} = plot.figure(model, SIZE);
  assert.deepEqual([map.zmin, map.zmax, map.zauto, map.x0, map.y0], [0, 1, false, 1, 0]);
  map.z.forEach((row, location) => row.forEach((value, step) => {
    assert.equal(value, data.value('weighting', step, 1, location));
  }));
  assert.deepEqual(plot.cells(model, SIZE).layers[0].rows, map.z);
  assert.deepEqual(layout.yaxis.range, [4.5, -0.5]);
  assert.deepEqual(layout.shapes, []);
});

test('steps that have not arrived are NaN, and reading there says so', () => {
  const data = viewsTrace({received: 3});
  const model = viewsModel(data, {complete: false});
  const plot = weightingPlot(data.header, 0);
  const {z} = plot.figure(model, SIZE).traces[0];
  assert.ok(z.every((row) => Number.isFinite(row[2]) && Number.isNaN(row[3])));
  assert.equal(plot.read(model, 5, 1), 't = 5: has not arrived yet');
});

test('reading a place gives the exact digits of the number there', () => {
  const data = viewsTrace();
  const model = viewsModel(data, {step: 2, head: 1});
  const weight = exact(data.value('weighting', 3, 1, 2), 'float32');
  assert.equal(weightingPlot(data.header, 1).read(model, 4.2, 1.8), `t = 4 · location 2 · write 0\nw = ${weight}`);
  const cell = exact(data.memory(2)[3 * 4 + 1], 'float32');
  assert.equal(memoryPlot('after').read(model, 1.3, 2.6), `location 3 · element 1\nM(t) = ${cell}`);
  assert.equal(memoryPlot('after').read(model, 9, 2), null);
});

test('a difference is to the pinned step, in the weightings and in both memories, and the sum still holds', () => {
  const data = viewsTrace();
  const model = viewsModel(data, {step: 4, pinned: 1, reference: 1});
  const {z} = weightingPlot(data.header, 0).figure(model, SIZE).traces[0];
  assert.equal(z[2][4], data.value('weighting', 4, 0, 2) - data.value('weighting', 1, 0, 2));
  assert.ok(z.every((row) => row[1] === 0));
  const [before, erased, added, after] = ['before', 'erased', 'added', 'after']
    .map((part) => memoryPlot(part).cells(model, SIZE).layers[0].rows);
  after.forEach((row, i) => row.forEach((value, j) => {
    assert.ok(Math.abs(before[i][j] - erased[i][j] + added[i][j] - value) < 1e-6);
  }));
  assert.ok(Math.abs(after[2][3] - (data.memory(4)[2 * 4 + 3] - data.memory(1)[2 * 4 + 3])) < 1e-7);
});

test('before − erased + added = after, for one write head and for two in either order', () => {
  for (const options of [{writers: 1}, {writers: 2}, {writers: 2, write_order: 'one_by_one'}]) {
    const data = viewsTrace(options);
    for (let step = 0; step < data.received; step++) {
      const parts = data.memoryParts(step);
      assert.ok(identityGap(parts) < 1e-6);
      assert.deepEqual(parts.after, data.memory(step));
    }
  }
  const data = viewsTrace();
  const {before, erased, added} = data.memoryParts(3);
  const [w, e, a] = [data.at('weighting', 3, 1), data.at('erase_vector', 3, 0), data.at('add_vector', 3, 0)];
  assert.ok(Math.abs(erased[4 * 2 + 1] - before[4 * 2 + 1] * w[2] * e[1]) < 1e-6);
  assert.ok(Math.abs(added[4 * 2 + 1] - w[2] * a[1]) < 1e-7);
});

test('output, target and error are stacked, each with nothing in the others\' rows, and wrong bits are marked', () => {
  const data = viewsTrace();
  const model = viewsModel(data);
  const figure = outputPlot().figure(model, SIZE);
  const [bits, errors] = figure.traces;
  assert.equal(bits.z.length, 8);
  assert.equal(bits.z[1][5], data.value('outputs', 5, 1));
  assert.ok(Number.isNaN(bits.z[2][5]) && Number.isNaN(bits.z[6][5]) && Number.isNaN(errors.z[1][5]));
  assert.equal(bits.z[3][4], data.value('targets', 4, 0));
  assert.ok(Number.isNaN(bits.z[3][0]), 'nothing is asked for during the input');
  assert.equal(errors.z[7][5], Math.fround(Math.abs(data.value('outputs', 5, 1) - data.value('targets', 5, 1))));
  const {wrong, asked} = verdictOn(data);
  assert.equal(asked, 6);
  const marks = figure.traces.at(-1);
  assert.ok(wrong.length > 0 && wrong.every(({step}) => data.episode('mask')[step] > 0));
  assert.deepEqual(marks.x.filter((_, index) => index % 6 === 0), wrong.map(({step}) => step + 0.7));
  for (const {step, channel} of wrong) {
    assert.notEqual(data.value('outputs', step, channel) > 0.5, data.value('targets', step, channel) > 0.5);
  }
  assert.match(outputPlot().note(model, SIZE), new RegExp(`^${wrong.length} of 6 bits wrong$`));
});

test('one of output, target and error alone has its own channels', () => {
  const data = viewsTrace();
  for (const outputView of ['output', 'target', 'error']) {
    const {traces: [map], layout} = outputPlot().figure(viewsModel(data, {outputView}), SIZE);
    assert.equal(map.z.length, 2, outputView);
    assert.deepEqual(layout.yaxis.ticktext, ['bit 0', 'bit 1']);
  }
});

test('adds and reads are those of the selected head, or of the first of their kind', () => {
  const data = viewsTrace({writers: 2});
  const adds = (head) => vectorPlot('write').cells(viewsModel(data, {head}), SIZE).layers[0].rows;
  assert.equal(adds(2)[3][4], data.value('add_vector', 4, 1, 3));
  assert.equal(adds(0)[3][4], data.value('add_vector', 4, 0, 3));
});

test('the pipeline starts from the weighting of the step before, and from w_0 at the first', () => {
  const data = viewsTrace();
  const model = viewsModel(data, {step: 3, head: 1});
  assert.deepEqual([...stageValues(model, 'previous')], [...data.at('weighting', 2, 1)]);
  assert.deepEqual([...stageValues({...model, step: 0}, 'previous')], [...data.initial('initial_weighting').subarray(5, 10)]);
  assert.deepEqual([...ghostValues(model, 'weighting')], [...data.at('shifted_weighting', 3, 1)]);
  assert.deepEqual([...ghostValues({...model, reference: 1}, 'weighting')], [...data.at('weighting', 1, 1)]);
});

test('moved paths and settled values are the same numbers', () => {
  const data = viewsTrace();
  const model = viewsModel(data, {step: 3, head: 1});
  const stage = stagePlot('gated_weighting');
  const [y] = stage.motion.values(model);
  assert.deepEqual([...y].filter((_, index) => index % 2 === 0), [...data.at('gated_weighting', 3, 1)]);
  assert.deepEqual([...stage.figure(model, SIZE).traces[0].y], [...y]);
  const kernel = kernelPlot();
  assert.deepEqual(kernel.motion.values(model), [data.at('shift_weighting', 3, 1)]);
  const [bars] = kernel.motion.paths(model, kernel.area(model, SIZE));
  assert.equal(bars.d.match(/M/g).length, 3);
});

test('tracks have one line a head, the selected one last and in the accent colour', () => {
  const data = viewsTrace();
  const {traces} = trackPlot('sharpening').figure(viewsModel(data, {head: 0}), SIZE);
  const [, other, selected] = traces;
  assert.deepEqual([...selected.y], Array.from({length: 6}, (_, step) => data.value('sharpening', step, 0)));
  assert.notEqual(other.line.color, selected.line.color);
});

test('positions are one dash a step, with nothing between them', () => {
  const {x, y} = dashes(Float64Array.of(7, 0));
  assert.deepEqual([...x], [0.5, 1.5, NaN, 1.5, 2.5, NaN]);
  assert.deepEqual([...y], [7, 7, NaN, 0, 0, NaN]);
});

test('positions in one column are a stroke for all that are near each other', () => {
  const positions = Float64Array.of(3, 4, 5, 100, NaN, 9, 9, 9, NaN, NaN, 7);
  const {x, y} = sharedDashes(positions, columnsOf(0, 11, 3));
  assert.deepEqual([...x], [0.5, 4.5, NaN, 0.5, 4.5, NaN, 4.5, 8.5, NaN, 8.5, 11.5, NaN]);
  assert.deepEqual([...y], [3, 5, NaN, 100, 100, NaN, 9, 9, NaN, 7, 7, NaN]);
});

test('a line through steps that share columns has the least and the greatest of each, and goes on beyond both ends', () => {
  const values = Float64Array.of(5, 1, 9, 3, NaN, 2, NaN, 4, 4, 4, 8);
  const {x, y} = sharedLine(values, columnsOf(1, 10, 3));
  assert.deepEqual([...x], [1, 2, 3, 4, 5, 6, 7, 8, 11]);
  assert.deepEqual([...y], [5, 1, 9, 3, NaN, 2, NaN, 4, 8]);
  const gaps = sharedLine(Float64Array.of(3, 4, NaN, 3.5, 10, 10, 10, 10), columnsOf(0, 8, 2));
  assert.deepEqual([...gaps.x], [1, 2, 3, 4, 5], 'the stroke after the gap is there');
});

for (let seed = 1; seed <= 10; seed++) {
  test(`no column of such a line misses a value that stands out or is missing, seed ${seed}`, () => {
    const next = random(seed);
    const below = (limit) => Math.floor(next() * limit);
    const values = Float64Array.from({length: 1 + below(80)}, () => (below(9) === 0 ? NaN : next() - 0.5));
    const columns = columnsOf(0, values.length, 1 + below(20));
    const {x, y} = sharedLine(values, columns);
    assert.deepEqual([...y], [...x].map((at) => values[at - 1]));
    assert.ok(x.every((at, index) => index === 0 || at > x[index - 1]), 'in order, each once');
    for (let column = 0; column < columns.columns; column++) {
      const [start, end] = stepsOf(columns, column);
      const shown = [...y].filter((_, index) => x[index] > start && x[index] <= end);
      const [drawn, all] = [shown, [...values.slice(start, end)]].map((found) => [
        Math.min(...found.filter(Number.isFinite)), Math.max(...found.filter(Number.isFinite)), found.some(Number.isNaN)]);
      assert.deepEqual(drawn, all);
    }
  });
}

test('a logarithmic axis has powers of ten, and 2 and 5 between them where there is room', () => {
  const {values, labels, range} = logarithmicAxis('β', [0, 1]);
  assert.deepEqual(labels, ['1', '2', '5', '10']);
  assert.ok(values.every((value) => value >= range[0] && value <= range[1]));
  assert.deepEqual(logarithmicAxis('β', [-3, 2]).labels, ['0.001', '0.01', '0.1', '1', '10', '100']);
  assert.deepEqual(logarithmicAxis('β', []).range, [0, 1]);
});

test('series go on where they stopped as records arrive, and the memory\'s peak is that of all memories', () => {
  const whole = viewsTrace();
  const data = viewsTrace({received: 2});
  const series = new Series(data);
  assert.ok(Number.isNaN(series.track('entropy', 0)[2]) && Number.isFinite(series.track('entropy', 0)[1]));
  for (const name of TRACK_NAMES) series.bounds(name);
  for (let step = 2; step < 6; step++) data.appendSteps(Float32Array.from({length: data.sizes.step}, (_, at) => stepNumber(whole, step, at)));
  assert.deepEqual(series.track('entropy', 0), new Series(whole).track('entropy', 0));
  for (const name of TRACK_NAMES) {
    const values = data.header.heads.flatMap((_, head) => [...series.track(name, head)]).filter(Number.isFinite);
    const {aboveZero, largest} = series.bounds(name);
    assert.deepEqual([aboveZero, largest], [Math.min(...values.filter((value) => value > 0)), Math.max(...values)], name);
  }
  const peak = series.memoryPeak(Infinity);
  const memories = [-1, 0, 1, 2, 3, 4, 5].map((step) => Math.max(...data.memory(step).map(Math.abs)));
  assert.equal(peak, Math.max(...memories));
  assert.ok(series.memoryPeakKnown);
});

/** The number at a place of a step record. */
function stepNumber(data, step, at) {
  for (const {name} of data.header.fields.step) {
    const {offset, size} = data.field(name);
    if (at >= offset && at < offset + size) return data.at(name, step)[at - offset];
  }
  throw new RangeError(`No field has number ${at}`);
}

test('a trace with more steps than pixels shares columns between steps, in the figure and on the canvas alike', () => {
  const data = viewsTrace({steps: 2000});
  const plot = weightingPlot(data.header, 1);
  const model = viewsModel(data);
  const [map] = plot.figure(model, SIZE).traces;
  // 364 pixels: at most as many columns, so six steps a column; the middle of steps 1 to 6 is t = 3.5.
  assert.deepEqual([map.x0, map.dx, map.z[0].length], [3.5, 6, 334]);
  map.z.forEach((row, location) => row.forEach((value, column) => {
    const steps = [0, 1, 2, 3, 4, 5].map((offset) => 6 * column + offset).filter((step) => step < 2000);
    assert.equal(value, Math.max(...steps.map((step) => data.value('weighting', step, 1, location))));
  }));
  const grid = plot.cells(model, SIZE);
  assert.deepEqual([grid.x, grid.width, grid.columns, grid.arrived], [3.5, 6, 334, 334]);
  assert.deepEqual(grid.layers[0].rows, map.z);
  assert.equal(plot.note(model, SIZE), 'largest of 6 steps a column');
});

test('to show a long trace, its weightings are not held a second time; as logarithms or differences they are', (t) => {
  const data = viewsTrace({steps: 2000});
  const matrix = t.mock.method(data, 'matrix');
  const plot = weightingPlot(data.header, 1);
  const plain = plot.cells(viewsModel(data), SIZE).layers[0];
  assert.equal(matrix.mock.callCount(), 0);
  const logarithms = plot.cells(viewsModel(data, {scale: {weighting: 'log', memory: 'auto', key_strength: 'linear'}}), SIZE).layers[0];
  const steps = [0, 1, 2, 3, 4, 5].map((offset) => 6 * 7 + offset);
  const weights = steps.map((step) => data.value('weighting', step, 1, 3));
  assert.equal(plain.rows[3][7], Math.max(...weights));
  assert.equal(logarithms.rows[3][7], Math.max(...logarithmic(weights)));
  const differences = plot.cells(viewsModel(data, {reference: 5}), SIZE).layers[0];
  const farthest = weights.map((weight) => weight - data.value('weighting', 5, 1, 3)).reduce((most, one) => (Math.abs(one) > Math.abs(most) ? one : most));
  assert.equal(differences.rows[3][7], farthest);
  assert.equal(matrix.mock.callCount(), 2);
});

test('a memory with more locations than pixels shares rows between them, and none is lost', () => {
  const data = viewsTrace({locations: 1024});
  const model = viewsModel(data, {step: 2});
  // 164 pixels: at most as many rows, so seven locations a row; the middle of locations 0 to 6 is 3.
  const weighting = weightingPlot(data.header, 1);
  const [map] = weighting.figure(model, SIZE).traces;
  assert.deepEqual([map.y0, map.dy, map.z.length, map.x0, map.dx, map.z[0].length], [3, 7, 147, 1, 1, 6]);
  map.z.forEach((row, at) => row.forEach((value, step) => {
    assert.equal(value, Math.max(...data.at('weighting', step, 1).subarray(7 * at, 7 * at + 7)));
  }));
  const grid = weighting.cells(model, SIZE);
  assert.deepEqual([grid.x, grid.width, grid.y, grid.height, grid.columns, grid.arrived], [1, 1, 3, 7, 6, 6]);
  assert.deepEqual(grid.layers[0].rows, map.z);
  assert.equal(weighting.note(model, SIZE), 'largest of 7 locations a row');
  // 162 pixels: likewise.
  const memory = memoryPlot('added');
  const {added} = model.data.memoryParts(model.step);
  const [words] = memory.figure(model, SIZE).traces;
  assert.deepEqual([words.y0, words.dy, words.z.length, words.z[0].length], [3, 7, 147, 4]);
  words.z.forEach((row, at) => row.forEach((value, word) => {
    const locations = [0, 1, 2, 3, 4, 5, 6].map((offset) => 7 * at + offset).filter((location) => location < 1024);
    assert.equal(Math.abs(value), Math.max(...locations.map((location) => Math.abs(added[4 * location + word]))));
  }));
  assert.deepEqual(memory.cells(model, SIZE).layers[0].rows, words.z);
  assert.equal(memory.note(model, SIZE), 'largest of 7 locations a row');
  assert.equal(memoryPlot('after').note({...model, reference: 1}, SIZE), 'minus t = 2 · largest of 7 locations a row');
});

test('cells of a large memory at another step are put where those before were', () => {
  const data = viewsTrace({locations: 1024});
  for (const part of ['before', 'erased', 'added', 'after']) {
    const plot = memoryPlot(part);
    const first = plot.cells(viewsModel(data, {step: 2}), SIZE);
    const {rows} = first.layers[0];
    const second = plot.cells(viewsModel(data, {step: 4}), SIZE, 0, first).layers[0].rows;
    assert.ok(second.every((row, at) => row === rows[at]));
    assert.deepEqual(second, plot.cells(viewsModel(data, {step: 4}), SIZE).layers[0].rows);
  }
});

test('a zoomed part of a large memory shows each of its locations', () => {
  const data = viewsTrace({locations: 1024});
  const model = viewsModel(data, {step: 2, zoom: {time: null, location: [99.7, 200.2], word: null}});
  for (const [plot, expected] of [
    [weightingPlot(data.header, 1), (location, column) => data.value('weighting', column, 1, location)],
    [memoryPlot('after'), (location, column) => data.memory(2)[4 * location + column]],
  ]) {
    const [map] = plot.figure(model, SIZE).traces;
    assert.deepEqual([map.y0, map.dy, map.z.length], [100, 1, 101]);
    map.z.forEach((row, at) => row.forEach((value, column) => assert.equal(value, expected(100 + at, column))));
    assert.equal(plot.note(model, SIZE), '');
  }
});

test('a zoomed part of a long trace has its own columns, and exact ones where there is room', () => {
  const data = viewsTrace({steps: 2000});
  const plot = weightingPlot(data.header, 1);
  const near = viewsModel(data, {zoom: {time: [100.2, 160.4], location: null, word: null}});
  const [map] = plot.figure(near, SIZE).traces;
  assert.deepEqual([map.x0, map.dx, map.z[0].length], [100, 1, 61]);
  map.z[2].forEach((value, column) => assert.equal(value, data.value('weighting', 99 + column, 1, 2)));
  assert.equal(plot.note(near, SIZE), '');
});

test('of a long trace that is still arriving, only the columns from the asked one on are looked at', () => {
  const data = viewsTrace({steps: 2000, received: 1000});
  const plot = weightingPlot(data.header, 1);
  const model = viewsModel(data, {complete: false});
  const [whole, part] = [plot.cells(model, SIZE), plot.cells(model, SIZE, 150)];
  assert.equal(whole.arrived, 167);
  assert.deepEqual(part.layers[0].rows[1].slice(150), whole.layers[0].rows[1].slice(150));
  assert.ok(part.layers[0].rows[1].slice(0, 150).every(Number.isNaN));
  const last = [996, 997, 998, 999].map((step) => data.value('weighting', step, 1, 1));
  assert.equal(whole.layers[0].rows[1][166], Math.max(...last));
});

test('a saved picture says what it is of, in lines that fit it', () => {
  const model = viewsModel(viewsTrace(), {step: 3, head: 1});
  assert.deepEqual(titleLines(model, ['Memory after', 'minus t = 2'], 40), ['Memory after · minus t = 2 · t = 4 of 6', 'example · head write 0']);
  assert.deepEqual(titleLines(model, ['Memory after', ''], 12), ['Memory after', 't = 4 of 6', 'example', 'head write 0']);
  model.data.header.interventions = [{}];
  assert.deepEqual(titleLines(model, ['Key', ''], 99), ['Key · t = 4 of 6 · example · head write 0 · edited']);
  model.data.header.mode = 'no_shift';
  assert.match(titleLines(model, ['Key', ''], 99)[0], /head write 0 · mode no_shift$/);
});

test('captions say what holds for the machine', () => {
  const {header} = viewsTrace({writers: 1});
  const config = {...header.config, sharpening_epsilon: 0};
  const caption = (changes) => weightingPlot({...header, config, ...changes}, 1).caption;
  assert.equal(caption({}), 'Where the write head looks. Columns add up to 1.');
  assert.equal(caption({acting_weighting: 'previous'}), 'Where the write head looks in the next step. Columns add up to 1.');
  assert.equal(caption({config: {...config, sharpening_epsilon: 1e-16}}), 'Where the write head looks.');
  assert.equal(caption({interventions: [{quantity: 'weighting', operation: 'scale', value: 2}]}), 'Where the write head looks.');
});

test('a gap of similarities is told where the content weighting is a softmax over the locations', () => {
  const told = (changes) => {
    const model = viewsModel(viewsTrace({writers: 1}));
    Object.assign(model.data.header, changes);
    return stagePlot('content_weighting').read(model, 1).split('\n').slice(2);
  };
  assert.match(told({})[0], /^β·K is .* below its best$/);
  const {config} = viewsTrace({writers: 1}).header;
  assert.deepEqual(told({config: {...config, content_softmax: 'each_location'}}), []);
  assert.deepEqual(told({interventions: [{quantity: 'content_weighting', operation: 'harden'}]}), []);
});
