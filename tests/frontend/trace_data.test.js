import assert from 'node:assert/strict';
import {test} from 'node:test';

import {TraceData} from '../../frontend/src/trace_data.js';
import {exampleBlocks, exampleHeader, joined, replayed} from './wire_helper.js';

function example(options) {
  const header = exampleHeader(options);
  const blocks = exampleBlocks(header);
  const data = new TraceData(header);
  data.setEpisode(blocks.episode);
  data.setInitial(blocks.initial);
  return {header, blocks, data};
}

test('fields lie one after another, in the order of the header', () => {
  const {data} = example();
  assert.deepEqual(data.field('outputs'), {block: 'step', offset: 0, size: 2, axes: ['output'], shape: [2]});
  assert.deepEqual(data.field('weighting'), {block: 'step', offset: 5, size: 15, axes: ['head', 'location'], shape: [3, 5]});
  assert.deepEqual(data.field('targets'), {block: 'episode', offset: 120, size: 80, axes: ['step', 'output'], shape: [40, 2]});
  assert.equal(data.sizes.step, 2 + 3 + 15 + 8 + 8);
  assert.ok(data.has('weighting') && !data.has('cell'));
  assert.deepEqual([data.readHeads, data.writeHeads], [[0], [1, 2]]);
});

test('at() and value() give views of what has arrived', () => {
  const {data, blocks} = example();
  blocks.records.forEach((record) => data.appendSteps(record));
  const view = data.at('weighting', 7, 2);
  assert.deepEqual([...view], [...blocks.records[7].slice(5 + 10, 5 + 15)]);
  assert.equal(view.buffer, blocks.records[7].buffer);
  assert.equal(data.value('key_strength', 9, 1), blocks.records[9][3]);
  assert.equal(data.value('mask', 4), data.episode('mask')[4]);
  assert.deepEqual([...data.at('inputs', 3)], [...blocks.episode.slice(9, 12)]);
});

test('what is not there is refused with its name', () => {
  const {data, blocks} = example();
  data.appendSteps(blocks.records[0]);
  assert.throws(() => data.at('weighting', 1, 0), /Step 1 of field 'weighting'; steps 0 to 0 are here/);
  assert.throws(() => data.at('weighting', 0, 3), /Index 3 of axis 0 of field 'weighting', which has shape \[3, 5\]/);
  assert.throws(() => data.field('nothing'), /No field 'nothing'/);
  assert.throws(() => data.at('initial_memory', 0), /no step axis/);
  assert.throws(() => data.appendSteps(new Float32Array(3)), /not whole records/);
  const header = exampleHeader();
  header.axes.word = -1;
  assert.throws(() => new TraceData(header), /axis 'word', whose length in the header is -1/);
});

test('matrix() grows with the stream and keeps its arrays', () => {
  const {data, blocks} = example();
  blocks.records.slice(0, 2).forEach((record) => data.appendSteps(record));
  const rows = data.matrix('weighting', 1);
  assert.deepEqual([rows.length, rows[0].length], [5, 40]);
  assert.equal(rows[3][1], data.at('weighting', 1, 1)[3]);
  assert.ok(Number.isNaN(rows[3][2]));
  data.appendSteps(new Float32Array(joined(blocks.records.slice(2, 5).map((record) => new Uint8Array(record.buffer))).buffer));
  assert.equal(data.matrix('weighting', 1), rows);
  assert.equal(rows[3][4], data.at('weighting', 4, 1)[3]);
  assert.ok(Number.isNaN(rows[3][5]));
  assert.equal(data.matrix('key_strength', 2).length, 1);
  const inputs = data.matrix('inputs');
  assert.equal(inputs[2][39], data.at('inputs', 39)[2]);
});

test('large matrices of a whole trace can be given up, and are the same when they are made again', () => {
  const {data, blocks} = example({steps: 20_000});
  const record = blocks.records[0];
  data.appendFilled(19_999, (filled) => filled.set(record));
  const [small, large] = [data.matrix('key_strength', 2), data.matrix('weighting', 1)];
  data.forgetMatrices();
  assert.equal(data.matrix('weighting', 1), large, 'it grows still');
  data.appendSteps(record);
  const last = data.matrix('weighting', 1);
  data.forgetMatrices();
  assert.equal(data.matrix('key_strength', 2), small);
  assert.notEqual(data.matrix('weighting', 1), last);
  assert.deepEqual(data.matrix('weighting', 1), last);
});

for (const write_order of ['erases_then_adds', 'one_by_one']) {
  for (const dtype of ['float32', 'float64']) {
    test(`memory is rebuilt from weightings, erases and adds of the write heads: ${write_order}, ${dtype}`, () => {
      const {data, blocks} = example({write_order, dtype});
      blocks.records.forEach((record) => data.appendSteps(record));
      const writesAt = (step) => ({
        weightings: [1, 2].map((head) => data.at('weighting', step, head)),
        erases: [0, 1].map((head) => data.at('erase_vector', step, head)),
        adds: [0, 1].map((head) => data.at('add_vector', step, head)),
      });
      const expected = replayed(data.initial('initial_memory'), writesAt, 40, write_order);
      for (const step of [39, 0, 20, 15, 16]) assert.deepEqual(data.memory(step), expected[step]);
      assert.deepEqual(data.memory(-1), data.initial('initial_memory'));
      const parts = data.memoryParts(20);
      assert.deepEqual([parts.before, parts.after], [expected[19], expected[20]]);
    });
  }
}
