// A small trace as the server would send it, made without the server.

import {writeInPlace} from '../../frontend/src/memory.js';

/** A header for two write heads and one read head, so that no axis has the length of another. */
export function exampleHeader({steps = 40, dtype = 'float32', write_order = 'erases_then_adds'} = {}) {
  const axes = {step: steps, input: 3, output: 2, head: 3, read_head: 1, write_head: 2, location: 5, word: 4, shift: 3, layer: 1, controller: 6};
  const head = (name, ...rest) => ({name, axes: ['head', ...rest]});
  return {
    format: 'ntm-scope-trace', version: 2, dtype, steps, checkpoint: 'example', seed: 0,
    task: {name: 'copy', bits: 2}, task_note: null,
    config: {memory_size: 5, word_size: 4, write_order, controller: 'lstm'}, warnings: [],
    input_channels: ['bit 0', 'bit 1', 'delimiter'], output_channels: ['bit 0', 'bit 1'], phases: ['input', 'delimiter', 'output'],
    heads: [{name: 'read 0', kind: 'read'}, {name: 'write 0', kind: 'write'}, {name: 'write 1', kind: 'write'}],
    shifts: [-1, 0, 1], axes, coding: {}, seen_memory: [null, null, null],
    fields: {
      episode: [{name: 'inputs', axes: ['step', 'input']}, {name: 'targets', axes: ['step', 'output']}, {name: 'mask', axes: ['step']}, {name: 'phase', axes: ['step']}],
      initial: [{name: 'initial_memory', axes: ['location', 'word']}, head('initial_weighting', 'location')],
      step: [{name: 'outputs', axes: ['output']}, head('key_strength'), head('weighting', 'location'),
        {name: 'erase_vector', axes: ['write_head', 'word']}, {name: 'add_vector', axes: ['write_head', 'word']}],
    },
  };
}

/** Pseudo-random numbers in [0, 1), the same at each run. */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Random blocks for a header: `{episode, initial, records}`, each a typed array of the header's dtype. */
export function exampleBlocks(header, seed = 1) {
  const next = random(seed);
  const Numbers = header.dtype === 'float64' ? Float64Array : Float32Array;
  const size = (fields) => fields.reduce((sum, {axes}) => sum + axes.reduce((product, axis) => product * header.axes[axis], 1), 0);
  const block = (length) => Numbers.from({length}, () => 2 * next() - 0.5);
  return {
    episode: block(size(header.fields.episode)),
    initial: block(size(header.fields.initial)),
    records: Array.from({length: header.steps}, () => block(size(header.fields.step))),
  };
}

/** One frame: length, kind, payload. */
export function frame(kind, payload) {
  const bytes = new Uint8Array(8 + payload.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, payload.byteLength, true);
  view.setUint32(4, kind, true);
  bytes.set(new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength), 8);
  return bytes;
}

/** A frame of JSON, padded with spaces to a multiple of 4 bytes. */
export function jsonFrame(kind, value) {
  const text = new TextEncoder().encode(JSON.stringify(value));
  const padded = new Uint8Array(4 * Math.ceil(text.length / 4)).fill(32);
  padded.set(text);
  return frame(kind, padded);
}

export function joined(parts) {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The whole stream; `grouped` records travel in one frame. */
export function exampleStream(header, {episode, initial, records}, {grouped = 1, end = {wrong_bits: 3, loss_bits: 0.5, seconds: 0.01}} = {}) {
  const steps = [];
  for (let at = 0; at < records.length; at += grouped) {
    steps.push(frame(4, joined(records.slice(at, at + grouped).map((record) => new Uint8Array(record.buffer)))));
  }
  return joined([jsonFrame(1, header), frame(2, episode), frame(3, initial), ...steps, jsonFrame(5, end)]);
}

/** A ReadableStream of the bytes, cut at random places. */
export function inChunks(bytes, seed = 7, longest = 400) {
  const next = random(seed);
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      const length = 1 + Math.floor(next() * longest);
      controller.enqueue(bytes.slice(at, at + length));
      at += length;
    },
  });
}

/** Memory after each step, by replaying every write from the start. */
export function replayed(initial, writesAt, steps, order) {
  const memory = initial.slice();
  return Array.from({length: steps}, (_, step) => {
    writeInPlace(memory, writesAt(step), order);
    return memory.slice();
  });
}

