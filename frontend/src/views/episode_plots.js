// What goes into the machine and what comes out, channel × step.

/** @import {TraceData} from '../trace_data.js' */
/** @import {Layer} from './cells.js' */
/** @import {AxisSpec} from './layout.js' */
/** @import {Model} from './model.js' */
/** @import {PlotSpec} from './panel.js' */
/** @import {Scale, Values} from './scales.js' */
import {ERROR} from '../colors.js';
import {exact} from './format.js';
import {upsideDown} from './layout.js';
import {isWrong, peak} from './measures.js';
import {roundedUp} from './model.js';
import {bitScale, signedScale} from './scales.js';
import {timeHeatmap} from './time_heatmap.js';

/** @typedef {'output'|'target'|'error'} BlockName */

/** With more wrong bits than this, marks would hide what they mark; the error block shows them all. */
const MOST_MARKS = 500;

/** Pixels that a channel's label needs. */
const LABEL = 11;

/** @returns {PlotSpec} */
export function inputPlot() {
  return timeHeatmap({
    id: 'input',
    title: 'Input',
    symbol: '<i>x<sub>t</sub></i>',
    caption: 'What the controller is given, one column a step.',
    height: 160,
    rowLink: null,
    rowAxis: ({data}, pixels) => channelAxis(data.header.input_channels, pixels),
    layers: (model) => [{rows: model.data.matrix('inputs'), scale: inputScale(model), bar: 'value'}],
    depends: () => [],
    read: ({data}, step, row) => readChannel(data, 'inputs', data.header.input_channels, step, row),
  });
}

/**
 * @param {Model} model
 * @returns {Scale} That of bits, unless an input is no bit.
 */
function inputScale(model) {
  const inputs = model.data.episode('inputs');
  const bits = inputs.every((value) => value >= 0 && value <= 1);
  return bits ? bitScale(model) : signedScale(roundedUp(peak(inputs)), model);
}

/** @returns {PlotSpec} */
export function outputPlot() {
  return timeHeatmap({
    id: 'output',
    title: 'Output, target, error',
    symbol: '<i>y<sub>t</sub></i>',
    caption: 'Probability of each bit, what was asked for, and how far off; × marks a wrong bit.',
    height: 160,
    rowLink: null,
    rowAxis: outputAxis,
    layers: outputLayers,
    depends: ({outputView}) => [outputView],
    marks: (model) => [wrongMarks(model)],
    read: readOutput,
    note: ({data}) => errorNote(data),
  });
}

/**
 * @param {Model['outputView']} view
 * @returns {BlockName[]} From top to bottom.
 */
function blocksOf(view) {
  return view === 'all' ? ['output', 'target', 'error'] : [view];
}

/**
 * @param {Model} model
 * @param {number} pixels
 * @returns {AxisSpec}
 */
function outputAxis({data, outputView}, pixels) {
  const names = data.header.output_channels;
  const blocks = blocksOf(outputView);
  if (blocks.length === 1) return {...channelAxis(names, pixels), title: `${outputView}, channel`};
  const stride = names.length + 1;
  return {
    title: 'channel',
    range: upsideDown([-0.5, blocks.length * stride - 1.5]),
    values: blocks.map((_, index) => index * stride + (names.length - 1) / 2),
    labels: [...blocks],
    fixed: true,
  };
}

/**
 * @param {Model} model
 * @returns {Layer[]} Bits below, errors above, each with nothing in the other's rows and in the rows between blocks.
 */
function outputLayers(model) {
  const {data, outputView, theme} = model;
  const blocks = blocksOf(outputView);
  const nothing = new Float32Array(data.header.steps).fill(NaN);
  const channels = data.header.axes.output;
  const stacked = (/** @type {(block: BlockName) => Values[]|null} */ rowsOf) => blocks.flatMap((block, index) => [
    ...(index > 0 ? [nothing] : []),
    ...(rowsOf(block) ?? Array.from({length: channels}, () => nothing)),
  ]);
  const bits = stacked((block) => (block === 'error' ? null : bitRows(data, block)));
  const errors = stacked((block) => (block === 'error' ? errorRows(data) : null));
  const errorScale = {low: 0, high: 1, map: ERROR[theme.shade], ticks: [0, 0.5, 1]};
  const onlyErrors = outputView === 'error';
  return [
    ...(onlyErrors ? [] : [{rows: bits, scale: bitScale(model), bar: 'probability', gaps: true}]),
    ...(blocks.includes('error') ? [{rows: errors, scale: errorScale, bar: onlyErrors ? '|output − target|' : null, gaps: true}] : []),
  ];
}

/**
 * @param {TraceData} data
 * @param {'output'|'target'} block
 * @returns {Values[]} Targets are NaN where none was asked for.
 */
function bitRows(data, block) {
  if (block === 'output') return data.matrix('outputs');
  const mask = data.episode('mask');
  return data.matrix('targets').map((row) => row.map((value, step) => (mask[step] > 0 ? value : NaN)));
}

/**
 * @param {TraceData} data
 * @returns {Values[]} |output − target|, NaN where nothing was asked for.
 */
function errorRows(data) {
  const mask = data.episode('mask');
  const targets = data.matrix('targets');
  return data.matrix('outputs').map((row, channel) => (
    row.map((value, step) => (mask[step] > 0 ? Math.abs(value - targets[channel][step]) : NaN))
  ));
}

/** @typedef {{asked: number, wrong: {step: number, channel: number}[], seen: number}} Verdict */

/** @type {WeakMap<TraceData, Verdict>} What is known of each trace's bits, up to the step `seen`. */
const verdicts = new WeakMap();

/**
 * @param {TraceData} data
 * @returns {Verdict} How many bits were asked for so far and can be judged, and those on the wrong side of 0.5. Shared: read only.
 */
export function verdictOn(data) {
  const verdict = verdicts.get(data) ?? {asked: 0, wrong: [], seen: 0};
  verdicts.set(data, verdict);
  const mask = data.episode('mask');
  for (; verdict.seen < data.received; verdict.seen++) {
    const step = verdict.seen;
    if (!(mask[step] > 0)) continue;
    const [outputs, targets] = [data.at('outputs', step), data.at('targets', step)];
    for (let channel = 0; channel < outputs.length; channel++) {
      if (Number.isNaN(outputs[channel]) || Number.isNaN(targets[channel])) continue;
      verdict.asked += 1;
      if (isWrong(outputs[channel], targets[channel])) verdict.wrong.push({step, channel});
    }
  }
  return verdict;
}

/**
 * Crosses on the wrong bits, as one line: thousands of markers would each be a layer for the browser to sort.
 *
 * @param {Model} model
 */
function wrongMarks({data, outputView, theme}) {
  const {wrong} = verdictOn(data);
  return {
    type: 'scatter',
    mode: 'lines',
    x: wrong.flatMap(({step}) => [step + 0.7, step + 1.3, null, step + 0.7, step + 1.3, null]),
    y: wrong.flatMap(({channel}) => [channel - 0.4, channel + 0.4, null, channel + 0.4, channel - 0.4, null]),
    visible: outputView !== 'target' && wrong.length <= MOST_MARKS,
    line: {width: 1.5, color: theme.error},
    hoverinfo: 'skip',
  };
}

/**
 * @param {TraceData} data
 * @returns {string}
 */
function errorNote(data) {
  const {asked, wrong} = verdictOn(data);
  return asked === 0 ? '' : `${wrong.length} of ${asked} bits wrong`;
}

/**
 * @param {Model} model
 * @param {number} step
 * @param {number} row
 * @returns {string|null}
 */
function readOutput({data, outputView}, step, row) {
  const names = data.header.output_channels;
  const channel = outputView === 'all' ? row % (names.length + 1) : row;
  if (!(channel >= 0 && channel < names.length)) return null;
  const {dtype} = data.header;
  const output = data.value('outputs', step, channel);
  const lines = [`t = ${step + 1} · ${names[channel]}`, `output ${exact(output, dtype)}`];
  if (data.episode('mask')[step] > 0) {
    const target = data.value('targets', step, channel);
    lines.push(`target ${exact(target, dtype)}`, `error ${exact(Math.abs(output - target), dtype)}`);
  } else {
    lines.push('nothing asked for');
  }
  return lines.join('\n');
}

/**
 * @param {TraceData} data
 * @param {string} field
 * @param {string[]} names
 * @param {number} step
 * @param {number} row
 * @returns {string|null}
 */
function readChannel(data, field, names, step, row) {
  if (!(row >= 0 && row < names.length)) return null;
  return `t = ${step + 1} · ${names[row]}\n${exact(data.value(field, step, row), data.header.dtype)}`;
}

/**
 * @param {string[]} names
 * @param {number} pixels
 * @returns {AxisSpec}
 */
function channelAxis(names, pixels) {
  const every = Math.ceil((names.length * LABEL) / Math.max(1, pixels));
  const values = names.map((_, index) => index).filter((index) => index % every === 0);
  return {
    title: 'channel',
    range: upsideDown([-0.5, names.length - 0.5]),
    values,
    labels: values.map((index) => shortened(names[index])),
    fixed: true,
  };
}

/**
 * @param {string} name
 * @returns {string}
 */
function shortened(name) {
  return name.length > 10 ? `${name.slice(0, 9)}…` : name;
}
