import assert from 'node:assert/strict';
import {test} from 'node:test';

import {FrameParser, framesOf, readTrace, TraceReader} from '../../frontend/src/wire.js';
import {WireError} from '../../frontend/src/wire_error.js';
import {exampleBlocks, exampleHeader, exampleStream, frame, inChunks, joined, jsonFrame} from './wire_helper.js';

for (const dtype of ['float32', 'float64']) {
  for (const [longest, grouped] of [[1, 1], [13, 3], [5000, 40], [1e6, 7]]) {
    test(`reads a ${dtype} stream cut into chunks of up to ${longest} bytes, ${grouped} records a frame`, async () => {
      const header = exampleHeader({dtype});
      const blocks = exampleBlocks(header);
      const seen = [];
      const reader = await readTrace(framesOf(inChunks(exampleStream(header, blocks, {grouped}), 3, longest)), ({data}) => seen.push(data?.received ?? 0));
      assert.deepEqual(reader.end, {wrong_bits: 3, loss_bits: 0.5, seconds: 0.01});
      assert.deepEqual(reader.data.header, header);
      assert.equal(reader.data.received, header.steps);
      assert.deepEqual(seen, seen.toSorted((a, b) => a - b));
      assert.deepEqual([...reader.data.episode('inputs'), ...reader.data.episode('targets')], [...blocks.episode.slice(0, 40 * 5)]);
      blocks.records.forEach((record, step) => {
        assert.deepEqual([...reader.data.at('outputs', step)], [...record.slice(0, 2)]);
        assert.deepEqual([...reader.data.at('add_vector', step, 1)], [...record.slice(-4)]);
      });
    });
  }
}

test('steps show before the stream is over', async () => {
  const header = exampleHeader();
  const {episode, initial, records} = exampleBlocks(header);
  const first = joined([jsonFrame(1, header), frame(2, episode), frame(3, initial), frame(4, records[0])]);
  let goOn = () => {};
  const waiting = new Promise((resolve) => { goOn = resolve; });
  const stream = new ReadableStream({
    async start(controller) {
      controller.enqueue(first);
      await waiting;
      controller.enqueue(joined([...records.slice(1).map((record) => frame(4, record)), jsonFrame(5, {wrong_bits: 0, loss_bits: 0, seconds: 1})]));
      controller.close();
    },
  });
  const received = [];
  const reader = await readTrace(framesOf(stream), ({data}) => {
    received.push(data.received);
    goOn();
  });
  assert.deepEqual(received, [1, 40]);
  assert.equal(reader.end.wrong_bits, 0);
});

test("the server's error frame is handed over in its words", async () => {
  const header = exampleHeader();
  const bytes = joined([jsonFrame(1, header), jsonFrame(6, {code: 'not_finite', message: 'NaN at step 3'})]);
  const reader = await readTrace(framesOf(inChunks(bytes)), () => {});
  assert.deepEqual(reader.error, {code: 'not_finite', message: 'NaN at step 3'});
});

const good = () => {
  const header = exampleHeader();
  return {header, ...exampleBlocks(header)};
};

/** @type {[string, () => Uint8Array, RegExp][]} */
const broken = [
  ['a stream cut inside a frame', () => exampleStream(good().header, good()).slice(0, -3), /ended inside a frame/],
  ['a stream without its end', () => { const {header, episode, initial, records} = good(); return joined([jsonFrame(1, header), frame(2, episode), frame(3, initial), frame(4, records[0])]); }, /after 1 of 40 steps/],
  ['an empty stream', () => new Uint8Array(0), /after 0 of unknown steps/],
  ['steps before the header', () => frame(4, new Float32Array(4)), /must be the header/],
  ['two headers', () => joined([jsonFrame(1, good().header), jsonFrame(1, good().header)]), /second header/],
  ['an unknown kind', () => joined([jsonFrame(1, good().header), frame(9, new Float32Array(1))]), /Unknown frame kind 9/],
  ['another version', () => jsonFrame(1, {...good().header, version: 1}), /version 1; this page reads/],
  ['half a record', () => { const {header, episode, initial, records} = good(); return joined([jsonFrame(1, header), frame(2, episode), frame(3, initial), frame(4, records[0].slice(1))]); }, /not whole records/],
  ['a short episode', () => { const {header, episode} = good(); return joined([jsonFrame(1, header), frame(2, episode.slice(1))]); }, /episode block has/],
  ['a frame after the end', () => { const {header, ...blocks} = good(); return joined([exampleStream(header, blocks), jsonFrame(5, {})]); }, /follows the last one/],
  ['an HTML page', () => new TextEncoder().encode('<!doctype html><html>'), /multiples of 4|ended inside/],
];
for (const [name, bytes, message] of broken) {
  test(`refuses ${name}`, async () => {
    await assert.rejects(readTrace(framesOf(inChunks(bytes())), () => {}), message);
  });
}

test('a frame that is too long is refused before any memory is taken for it', () => {
  const prefix = new Uint8Array(8).fill(255);
  prefix[0] = 252;
  assert.throws(() => new FrameParser().push(prefix), WireError);
});

test('a reader without a stream is not finished', () => {
  assert.throws(() => new TraceReader().finish(), /ended early/);
});
