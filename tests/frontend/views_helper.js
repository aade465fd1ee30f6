// A trace with every field that the views read, small enough to check by hand.

import {TraceData} from '../../frontend/src/trace_data.js';
import {Series} from '../../frontend/src/views/series.js';
import {random} from './wire_helper.js';

/** Names and axes of all step fields of a trace. */
const STEP_FIELDS = [
  ['outputs', 'output'], ['logits', 'output'], ['key', 'head', 'word'], ['key_strength', 'head'], ['interpolation_gate', 'head'],
  ['shift_weighting', 'head', 'shift'], ['sharpening', 'head'], ['content_weighting', 'head', 'location'],
  ['gated_weighting', 'head', 'location'], ['shifted_weighting', 'head', 'location'], ['weighting', 'head', 'location'],
  ['erase_vector', 'write_head', 'word'], ['add_vector', 'write_head', 'word'], ['read_vector', 'read_head', 'word'],
];

export const THEME = {
  dark: false, shade: 'light', surface: '#ffffff', text: '#111111', muted: '#555555', line: '#888888', faint: '#dddddd',
  accent: '#1a5fa8', cursor: '#d5420a', error: '#b23c00', font: 'sans-serif',
};

/** Header of a machine with one read head and `writers` write heads: T = 6, N = 5, W = 4, three channels in and two out. */
export function viewsHeader({steps = 6, writers = 1, locations = 5, write_order = 'erases_then_adds'} = {}) {
  const axes = {
    step: steps, input: 3, output: 2, head: 1 + writers, read_head: 1, write_head: writers, location: locations, word: 4, shift: 3, layer: 1,
    controller: 2,
  };
  const field = ([name, ...names]) => ({name, axes: names});
  return {
    format: 'ntm-scope-trace', version: 1, dtype: 'float32', steps, checkpoint: 'example', seed: 0,
    task: {name: 'copy', bits: 2}, task_note: null,
    config: {memory_size: locations, word_size: 4, write_order, similarity: 'cosine'}, warnings: [],
    input_channels: ['bit 0', 'bit 1', 'delimiter'], output_channels: ['bit 0', 'bit 1'], phases: ['input', 'delimiter', 'output'],
    heads: [{name: 'read 0', kind: 'read'}, ...Array.from({length: writers}, (_, index) => ({name: `write ${index}`, kind: 'write'}))],
    shifts: [-1, 0, 1], axes,
    fields: {
      episode: [['inputs', 'step', 'input'], ['targets', 'step', 'output'], ['mask', 'step'], ['phase', 'step']].map(field),
      initial: [['initial_memory', 'location', 'word'], ['initial_weighting', 'head', 'location']].map(field),
      step: STEP_FIELDS.map(field),
    },
  };
}

/** The example trace: bits in for T/2 − 1 steps, a delimiter, then T/2 steps in which outputs count; the rest is random. */
export function viewsTrace(options = {}) {
  const header = viewsHeader(options);
  const data = new TraceData(header);
  const {step: steps} = header.axes;
  const next = random(options.seed ?? 5);
  const half = Math.floor(steps / 2);
  const phase = Array.from({length: steps}, (_, step) => (step < half - 1 ? 0 : step === half - 1 ? 1 : 2));
  const bit = () => Number(next() < 0.5);
  data.setEpisode(Float32Array.from([
    ...phase.flatMap((index) => [index === 0 ? bit() : 0, index === 0 ? bit() : 0, Number(index === 1)]),
    ...phase.flatMap((index) => [index === 2 ? bit() : 0, index === 2 ? bit() : 0]),
    ...phase.map((index) => Number(index === 2)),
    ...phase,
  ]));
  data.setInitial(Float32Array.from({length: data.sizes.initial}, () => next() - 0.5));
  for (let step = 0; step < (options.received ?? steps); step++) {
    data.appendSteps(Float32Array.from({length: data.sizes.step}, next));
  }
  return data;
}

/** A model at `step` of a trace, as modelOf() would make it. */
export function viewsModel(data, changes = {}) {
  return {
    data, series: new Series(data), received: data.received, complete: true, step: 0, head: 0, pinned: null, reference: null,
    memoryLimit: 1, scale: {weighting: 'fixed', memory: 'auto', key_strength: 'linear'},
    zoom: {time: null, location: null, word: null}, outputView: 'all', theme: THEME, ...changes,
  };
}

export const SIZE = Object.freeze({width: 500, height: 200});
