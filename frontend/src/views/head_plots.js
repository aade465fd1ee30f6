// What the heads write, read and look at, over time.

/** @import {TraceData} from '../trace_data.js' */
/** @import {AxisSpec} from './layout.js' */
/** @import {Model} from './model.js' */
/** @import {PlotSpec} from './panel.js' */
/** @import {TraceHeader} from '../state.js' */
import {exact} from './format.js';
import {upsideDown, wholeTicks, wordRange} from './layout.js';
import {locationHeatmap} from './location_heatmap.js';
import {roundedUp} from './model.js';
import {signedScale} from './scales.js';
import {timeHeatmap} from './time_heatmap.js';

/**
 * @param {'write'|'read'} kind
 * @returns {PlotSpec} The add vectors of a write head, or the read vectors of a read head.
 */
export function vectorPlot(kind) {
  const write = kind === 'write';
  const field = write ? 'add_vector' : 'read_vector';
  return timeHeatmap({
    id: write ? 'adds' : 'reads',
    title: write ? 'Adds' : 'Reads',
    symbol: write ? '<i>a<sub>t</sub></i>' : '<i>r<sub>t</sub></i>',
    caption: write
      ? 'The vector that the write head adds where it looks (eq. 8).'
      : 'The vector that the read head takes from where it looks (eq. 6).',
    height: 160,
    rowLink: 'word',
    rowAxis: wordAxisDown,
    layers: (model) => [{
      rows: model.data.matrix(field, vectorHead(model, kind)),
      scale: signedScale(vectorLimit(model, field), model),
      bar: write ? '<i>a</i>' : '<i>r</i>',
    }],
    depends: (model) => [vectorHead(model, kind), model.scale.memory, model.complete && !model.limits ? 0 : vectorLimit(model, field)],
    read: (model, step, row) => (row < model.data.header.axes.word
      ? `t = ${step + 1} · element ${row}\n${write ? 'a' : 'r'} = ${
        exact(model.data.value(field, step, vectorHead(model, kind), row), model.data.header.dtype)}`
      : null),
    note: (model) => (headsOf(model.data, kind).length > 1 ? `head ${kind} ${vectorHead(model, kind)}` : ''),
  });
}

/**
 * @param {Model} model
 * @param {'add_vector'|'read_vector'} field
 * @returns {number} Both ends of its colour scale.
 */
export function vectorLimit({scale, limits, series}, field) {
  return scale.memory === 'fixed' ? 1 : limits?.[field] ?? roundedUp(series.peak(field));
}

/**
 * @param {TraceData} data
 * @param {'write'|'read'} kind
 * @returns {number[]} On the head axis.
 */
function headsOf(data, kind) {
  return kind === 'write' ? data.writeHeads : data.readHeads;
}

/**
 * @param {Model} model
 * @param {'write'|'read'} kind
 * @returns {number} Index among the heads of this kind: the selected one, or else the first.
 */
export function vectorHead({data, head}, kind) {
  return Math.max(0, headsOf(data, kind).indexOf(head));
}

/**
 * @param {Model} model
 * @param {number} pixels
 * @returns {AxisSpec}
 */
export function wordAxisDown(model, pixels) {
  const range = wordRange(model);
  return {title: 'word element <i>j</i>', range: upsideDown(range), values: wholeTicks(range, pixels / 22)};
}

/**
 * @param {TraceHeader} header
 * @param {number} head Index on the head axis.
 * @returns {PlotSpec} Where one head looks.
 */
export function weightingPlot(header, head) {
  const {heads} = header;
  const {kind, name} = heads[head];
  const several = heads.filter((other) => other.kind === kind).length > 1;
  return locationHeatmap({
    id: `weighting-${name.replace(' ', '-')}`,
    title: `${kind === 'write' ? 'Write' : 'Read'} weighting${several ? `, head ${name.split(' ').at(-1)}` : ''}`,
    symbol: '<i>w<sub>t</sub></i>(<i>i</i>)',
    caption: weightingCaption(header, kind),
    height: several ? 200 : 240,
    selects: head,
    stage: 'weighting',
    head: () => head,
    letter: 'w',
    bar: '<i>w</i>',
  });
}

/**
 * @param {TraceHeader} header
 * @param {'write'|'read'} kind
 * @returns {string}
 */
function weightingCaption({acting_weighting: acting, config, interventions = []}, kind) {
  const looks = `Where the ${kind} head looks${acting === 'previous' ? ' in the next step' : ''}.`;
  const whole = config.sharpening_epsilon === 0 && !interventions.some(({quantity}) => quantity === 'weighting');
  return whole ? `${looks} Columns add up to 1.` : looks;
}
