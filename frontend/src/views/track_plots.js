// What a head's parameters and its focus do over the whole episode.

/** @import {AxisSpec, Range, Size} from './layout.js' */
/** @import {Columns} from '../level_of_detail.js' */
/** @import {Model} from './model.js' */
/** @import {PlotSpec} from './panel.js' */
/** @import {TrackName} from './series.js' */
import {stepsOf} from '../level_of_detail.js';
import {areaOf} from '../plotly.js';
import {brief, exact, signed, tick, typeset} from './format.js';
import {
  TIME_MARGIN, baseLayout, pinShapes, locationAxisDown, phaseLines, roundTicks, timeAxis, timeRange,
} from './layout.js';
import {sharedColumns} from './time_heatmap.js';

/** @type {Record<TrackName, {title: string, symbol: string, caption: string, unit: string}>} */
const WORDS = {
  key_strength: {title: 'Key strength', symbol: '<i>β</i>', caption: 'How strongly content decides.', unit: '<i>β</i>'},
  interpolation_gate: {
    title: 'Interpolation gate', symbol: '<i>g</i>', caption: '1: look up by content. 0: start from where it was.', unit: '<i>g</i>',
  },
  sharpening: {title: 'Sharpening', symbol: '<i>γ</i>', caption: 'How much the focus is narrowed; 1: not at all.', unit: '<i>γ</i>'},
  entropy: {title: 'Entropy', symbol: '<i>H</i>(<i>w<sub>t</sub></i>)', caption: '0 bit: one location. More: spread out.', unit: 'bit'},
  expected_shift: {
    title: 'Expected shift', symbol: '∑ <i>j s<sub>j</sub></i>', caption: 'How far the kernel moves the focus on average.', unit: 'locations',
  },
  position: {
    title: 'Head position', symbol: '<i>i</i>', caption: 'Mean location on the circle of locations.', unit: 'location <i>i</i>',
  },
};

/** @type {readonly TrackName[]} */
export const TRACK_NAMES = Object.freeze(
  ['key_strength', 'interpolation_gate', 'sharpening', 'entropy', 'expected_shift', 'position'],
);

/** While a trace arrives, lines are drawn anew this often. */
const DRAWINGS_WHILE_ARRIVING = 8;

/**
 * @param {TrackName} name
 * @returns {PlotSpec} One line a head, the selected one in front.
 */
export function trackPlot(name) {
  const {title, symbol, caption} = WORDS[name];
  return {
    id: `track-${name.replace('_', '-')}`,
    title,
    symbol,
    caption,
    height: 132,
    selects: null,
    links: {x: 'time', y: name === 'position' ? 'location' : null},
    depends: ({head, scale, received, data, complete}) => [
      head, name === 'key_strength' && scale.key_strength,
      complete ? 0 : Math.floor((DRAWINGS_WHILE_ARRIVING * received) / data.header.steps), complete ? 0 : data.ahead,
    ],
    area: (model, size) => areaOf({...size, margin: TIME_MARGIN}, timeRange(model), valueAxis(model, name, size).range),
    figure(model, size) {
      const y = valueAxis(model, name, size);
      return {
        traces: [phaseLines(model, y.range), ...lines(model, name, size)],
        layout: baseLayout(model.theme, size, TIME_MARGIN, {x: timeAxis(model, size), y, shapes: pinShapes(model)}),
      };
    },
    cells: null,
    motion: {kind: 'cursor', marks: pinShapes},
    read(model, x) {
      const step = Math.round(x) - 1;
      if (!model.data.holds(step)) return `t = ${step + 1}: has not arrived yet`;
      const values = model.data.header.heads.map((head, index) => `${head.name}: ${readTrack(model, name, step, index)}`);
      return [`t = ${step + 1}`, ...values].join('\n');
    },
    note: (model) => `${model.data.header.heads[model.head].name}: ${noteOf(model, name)}`,
  };
}

/**
 * @param {Model} model
 * @param {TrackName} name
 * @param {number} step
 * @param {number} head
 * @returns {string} Exact for what the machine computed, rounded for what this page derives.
 */
function readTrack({series, data}, name, step, head) {
  const value = series.track(name, head)[step];
  if (data.has(name)) return typeset(exact(value, data.header.dtype));
  if (!Number.isNaN(value)) return typeset(String(Number(value.toPrecision(7))));
  const recorded = ['weighting', 'shift_weighting'].every((field) => !Number.isNaN(data.at(field, step, head)[0]));
  return recorded ? 'nowhere in particular' : 'not recorded';
}

/**
 * @param {Model} model
 * @param {TrackName} name
 * @returns {string}
 */
function noteOf({series, step, head}, name) {
  const value = series.track(name, head)[step];
  return name === 'expected_shift' ? signed(brief(value)) : brief(value);
}

/**
 * @param {Model} model
 * @param {TrackName} name
 * @returns {boolean}
 */
function isLogarithmic({scale}, name) {
  return name === 'key_strength' && scale.key_strength === 'log';
}

/**
 * @param {Model} model
 * @param {TrackName} name
 * @param {number} head
 * @returns {Float64Array} What is drawn: NaN breaks the line.
 */
function drawn(model, name, head) {
  const values = model.series.track(name, head);
  if (isLogarithmic(model, name)) return values.map((value) => (value > 0 ? Math.log10(value) : NaN));
  return values;
}

/**
 * @param {Model} model
 * @param {TrackName} name
 * @param {Size} size
 */
function lines(model, name, size) {
  const {theme, data, head: selected} = model;
  const shared = sharedColumns(model, size);
  const order = data.header.heads.map((_, head) => head).sort((a, b) => Number(a === selected) - Number(b === selected));
  return order.map((head) => ({
    type: 'scatter',
    mode: 'lines',
    ...pathOf(drawn(model, name, head), name === 'position', shared),
    line: {color: head === selected ? theme.accent : theme.muted, width: head === selected ? 2 : 1},
    hoverinfo: 'skip',
  }));
}

/**
 * @param {Float64Array} values One a step.
 * @param {boolean} dashed Whether nothing lies between two of them.
 * @param {Columns|null} shared The columns that steps share where they are too many to be drawn.
 * @returns {{x: Float64Array, y: Float64Array}}
 */
function pathOf(values, dashed, shared) {
  if (dashed) return shared ? sharedDashes(values, shared) : dashes(values);
  return shared ? sharedLine(values, shared) : {x: ordinals(values.length), y: values};
}

/**
 * @param {number} count
 * @returns {Float64Array} 1, 2, 3, …
 */
function ordinals(count) {
  return Float64Array.from({length: count}, (_, index) => index + 1);
}

/**
 * A line of one dash a step: positions jump and go around the end, so that nothing lies between two of them.
 *
 * @param {Float64Array} positions
 * @returns {{x: Float64Array, y: Float64Array}} NaN breaks the line.
 */
export function dashes(positions) {
  const count = 3 * positions.length;
  const ends = [0.5, 1.5, NaN];
  return {
    x: Float64Array.from({length: count}, (_, index) => Math.floor(index / 3) + ends[index % 3]),
    y: Float64Array.from({length: count}, (_, index) => (index % 3 === 2 ? NaN : positions[Math.floor(index / 3)])),
  };
}

/**
 * A line through the least and the greatest value of each column, in the steps where they are, and the edges of its gaps:
 * drawn, it covers what a line through all values does. It begins a step before those in sight, and ends a step after them, as that one would.
 *
 * @param {Float64Array} values One a step.
 * @param {Columns} columns
 * @returns {{x: Float64Array, y: Float64Array}} NaN breaks the line.
 */
export function sharedLine(values, columns) {
  const steps = [columns.first - 1];
  for (let column = 0; column < columns.columns; column++) steps.push(...extremes(values, ...stepsOf(columns, column)));
  steps.push(columns.end);
  const inside = steps.filter((step) => step >= 0 && step < values.length);
  return {x: Float64Array.from(inside, (step) => step + 1), y: Float64Array.from(inside, (step) => values[step])};
}

/**
 * @param {Float64Array} values
 * @param {number} start
 * @param {number} end
 * @returns {number[]} In their order those of the steps from `start` on in which the value is least or greatest, and at the
 *   edges of gaps.
 */
function extremes(values, start, end) {
  const missing = (/** @type {number} */ step) => Number.isNaN(values[step]);
  /** @type {number[]} */
  const edges = [];
  let [least, greatest] = [-1, -1];
  for (let step = start; step < end; step++) {
    const gap = missing(step);
    if ((step > 0 && missing(step - 1) !== gap) || (step + 1 < values.length && missing(step + 1) !== gap)) edges.push(step);
    if (!gap && (least < 0 || values[step] < values[least])) least = step;
    if (!gap && (greatest < 0 || values[step] > values[greatest])) greatest = step;
  }
  return [...new Set([...edges, least, greatest])].filter((step) => step >= 0).sort((a, b) => a - b);
}

/** Positions this near each other, in locations, are drawn as one: a head moves by one location a step or stays. */
const NEAR = 1.5;

/**
 * The same where more steps than can be drawn share a column: a stroke over the column for all positions in it that
 * are near each other. Plotly draws each stroke as an element of its own, and ten thousand of them are slow and large.
 *
 * @param {Float64Array} positions
 * @param {Columns} columns
 * @returns {{x: Float64Array, y: Float64Array}} NaN breaks the line.
 */
export function sharedDashes(positions, columns) {
  /** @type {number[]} */
  const x = [];
  /** @type {number[]} */
  const y = [];
  for (let column = 0; column < columns.columns; column++) {
    const [start, end] = stepsOf(columns, column);
    const sorted = positions.slice(start, end).filter(Number.isFinite).sort();
    for (let low = 0, at = 0; at < sorted.length; at++) {
      if (sorted[at + 1] - sorted[at] <= NEAR) continue;
      x.push(start + 0.5, end + 0.5, NaN);
      y.push(sorted[low], sorted[at], NaN);
      low = at + 1;
    }
  }
  return {x: Float64Array.from(x), y: Float64Array.from(y)};
}

/**
 * @param {Model} model
 * @param {TrackName} name
 * @param {Size} size
 * @returns {AxisSpec}
 */
function valueAxis(model, name, size) {
  const pixels = size.height - TIME_MARGIN.t - TIME_MARGIN.b;
  if (name === 'position') return locationAxisDown(model, pixels);
  const title = WORDS[name].unit;
  const {aboveZero, largest} = model.series.bounds(name);
  if (isLogarithmic(model, name)) return logarithmicAxis(title, [aboveZero, largest].map(Math.log10).filter(Number.isFinite));
  const range = valueRange(model, name, Math.max(0, largest));
  return {title, range, values: roundTicks(range, pixels / 24), fixed: true};
}

/**
 * @param {Model} model
 * @param {TrackName} name
 * @param {number} largest Of all values, at least 0.
 * @returns {Range} With a little room, so that a line at an end is seen.
 */
function valueRange(model, name, largest) {
  const {shifts, axes} = model.data.header;
  /** @type {Record<Exclude<TrackName, 'position'>, Range>} */
  const ranges = {
    key_strength: [0, largest || 1],
    interpolation_gate: [0, 1],
    sharpening: [1, Math.max(2, largest)],
    entropy: [0, Math.max(1, Math.log2(axes.location))],
    expected_shift: [Math.min(...shifts), Math.max(...shifts)],
  };
  const [low, high] = ranges[/** @type {Exclude<TrackName, 'position'>} */ (name)];
  const room = 0.06 * (high - low);
  return [low - room, high + room];
}

/**
 * @param {string} title
 * @param {number[]} exponents Of the values on it.
 * @returns {AxisSpec} Powers of ten, and 2 and 5 between them where there is room.
 */
export function logarithmicAxis(title, exponents) {
  const low = exponents.reduce((least, value) => Math.min(least, value), Infinity);
  const high = exponents.reduce((most, value) => Math.max(most, value), -Infinity);
  if (!(low <= high)) return {title, range: [0, 1], values: [0, 1], labels: ['1', '10'], fixed: true};
  const room = Math.max(0.05, 0.06 * (high - low));
  /** @type {Range} */
  const range = [low - room, high + room];
  const factors = high - low > 2.5 ? [1] : [1, 2, 5];
  const powers = Array.from({length: Math.ceil(range[1]) - Math.floor(range[0]) + 1}, (_, i) => Math.floor(range[0]) + i);
  const ticks = powers.flatMap((power) => factors.map((factor) => factor * 10 ** power))
    .filter((tick) => Math.log10(tick) >= range[0] && Math.log10(tick) <= range[1]);
  return {title, range, values: ticks.map(Math.log10), labels: ticks.map(tick), fixed: true};
}
