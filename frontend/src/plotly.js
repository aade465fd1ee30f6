// The only module that touches Plotly, and the only one that reads or writes its private fields. Each private field is
// named where it is used, with what is relied on; guardPrivateFields() proves all of it for the version at hand.

/** @import {Figure, PlotElement, PlotlyApi, RelayoutEvent, Shape, Trace} from './plotly_types.d.ts' */
import {SEQUENTIAL, colorscale, paintCells} from './colors.js';

/**
 * Where a plot's axes lie, in CSS pixels of its host, and which values its edges have.
 * @typedef {{left: number, top: number, width: number, height: number, x: [number, number], y: [number, number]}} Area
 */

const CONFIG = Object.freeze({displayModeBar: false, doubleClick: false, showTips: false});

/** @type {Promise<PlotlyApi>|null} */
let loading = null;

/** @returns {string} Where index.html says that Plotly is. */
function address() {
  const found = document.querySelector('meta[name="plotly"]')?.getAttribute('content');
  if (!found) throw new Error('The page has no <meta name="plotly"> with the address of the plotting script');
  return found;
}

/** Lets the browser fetch and compile Plotly beside whatever the page does. */
export function fetchPlotly() {
  const link = document.createElement('link');
  Object.assign(link, {rel: 'preload', as: 'script', href: address()});
  document.head.append(link);
}

/** @returns {Promise<PlotlyApi>} Plotly, evaluated at the first call. */
export function loadPlotly() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = address();
    script.onload = () => (window.Plotly ? resolve(window.Plotly) : reject(new Error(`${script.src} defines no Plotly`)));
    script.onerror = () => {
      loading = null;
      script.remove();
      reject(new Error(`The plotting script ${script.src} could not be loaded`));
    };
    document.head.append(script);
  });
  return loading;
}

/** @returns {PlotlyApi} */
function loaded() {
  if (!window.Plotly) throw new Error('Plotly is not loaded yet: await loadPlotly() first');
  return window.Plotly;
}

/**
 * @param {HTMLElement} host
 * @returns {host is PlotElement} Whether a figure has been drawn in it.
 */
export function isDrawn(host) {
  return host.classList.contains('js-plotly-plot');
}

/**
 * Draws a figure: a new plot the first time, afterwards the difference.
 *
 * @param {HTMLElement} host
 * @param {Figure} figure
 * @returns {Promise<PlotElement>}
 */
export function drawFigure(host, {traces, layout}) {
  const draw = isDrawn(host) ? loaded().react : loaded().newPlot;
  return draw(host, traces, layout, CONFIG);
}

/** @param {HTMLElement} host Without a figure afterwards; Plotly itself leaves it its class. */
export function removeFigure(host) {
  if (!isDrawn(host)) return;
  loaded().purge(host);
  host.classList.remove('js-plotly-plot');
}

/**
 * Draws other shapes. The whole array: a dotted path ('shapes[0].x0') would recalculate the plot, at 20 times the cost.
 *
 * @param {HTMLElement} host
 * @param {Shape[]} shapes
 */
export function setShapes(host, shapes) {
  void loaded().relayout(host, {shapes});
}

/**
 * Settles what was moved past Plotly: one restyle with the values that are on screen.
 *
 * @param {HTMLElement} host
 * @param {'y'|'z'} attribute
 * @param {unknown[]} values One entry a trace.
 * @returns {Promise<PlotElement>}
 */
export function settle(host, attribute, values) {
  return loaded().restyle(host, {[attribute]: values}, values.map((_, index) => index));
}

/**
 * @param {HTMLElement} host A drawn figure.
 * @param {{zoomed: (ranges: {x: [number, number]|null, y: [number, number]|null}) => void, reset: () => void}} handlers
 */
export function onZoom(host, {zoomed, reset}) {
  if (!isDrawn(host)) throw new Error('Only a drawn figure can be zoomed');
  host.on('plotly_relayout', (event) => {
    const [x, y] = [rangeIn(event, 'xaxis'), rangeIn(event, 'yaxis')];
    if (x || y) zoomed({x, y});
  });
  host.on('plotly_doubleclick', reset);
}

/**
 * The new range of an axis, the smaller end first also where the axis runs down; null if the event is of something else,
 * such as the cursor's shapes.
 *
 * @param {RelayoutEvent} event
 * @param {'xaxis'|'yaxis'} axis
 * @returns {[number, number]|null}
 */
export function rangeIn(event, axis) {
  const whole = event[`${axis}.range`];
  const ends = Array.isArray(whole) ? whole : [event[`${axis}.range[0]`], event[`${axis}.range[1]`]];
  if (!ends.every(Number.isFinite)) return null;
  const [one, other] = ends.map(Number);
  return [Math.min(one, other), Math.max(one, other)];
}

/**
 * Where a figure with fixed margins has its axes: known before Plotly has loaded.
 *
 * @param {{width: number, height: number, margin: {l: number, r: number, t: number, b: number}}} layout
 * @param {[number, number]} x
 * @param {[number, number]} y Bottom first.
 * @returns {Area}
 */
export function areaOf({width, height, margin}, x, y) {
  return {
    left: margin.l, top: margin.t, width: width - margin.l - margin.r, height: height - margin.t - margin.b, x, y,
  };
}

/** The layers with a figure's marks. Private: the classes of Plotly's groups of traces. */
const MARKS = '.heatmaplayer, .scatterlayer, .barlayer';

/**
 * A picture of a figure as it stands.
 * Private: relies on one '.main-svg' or more a figure, the lowest first, which hold all that is drawn, with their styles.
 *
 * @param {HTMLElement} host
 * @param {boolean} marks Whether its marks are in the picture, or only axes, titles and colour bars.
 * @returns {string} An SVG document.
 */
export function pictureOf(host, marks) {
  const [lowest, ...others] = [...host.querySelectorAll('.main-svg')].map((svg) => /** @type {Element} */ (svg.cloneNode(true)));
  if (!lowest) throw new Error('Plotly has no .main-svg any more');
  lowest.append(...others);
  if (!marks) for (const layer of lowest.querySelectorAll(MARKS)) layer.remove();
  return new XMLSerializer().serializeToString(lowest);
}

/**
 * Gives a heatmap other values without drawing it, so that hover, zoom and export are right at once.
 * Private: relies on `data[i].z`, `_fullData[i].z` (read by hover) and `calcdata[i][0].z` (drawn by a zoom).
 *
 * @param {HTMLElement} host
 * @param {number} trace
 * @param {ArrayLike<number>[]} rows
 */
export function assignZ(host, trace, rows) {
  if (!isDrawn(host)) return;
  host.data[trace].z = rows;
  host._fullData[trace].z = rows;
  host.calcdata[trace][0].z = rows;
}

/**
 * @param {Area} area
 * @param {ArrayLike<number>} centres
 * @param {ArrayLike<number>} values
 * @param {number} width Of a bar, in units of the x axis.
 * @returns {string[]} The outline of each bar from zero to its value.
 */
export function barPaths(area, centres, values, width) {
  const [x, y] = [across(area), up(area)];
  const foot = round2(y(0));
  return Array.from(values, (value, index) => {
    const [left, right] = [x(centres[index] - width / 2), x(centres[index] + width / 2)].map(round2);
    return `M${left},${foot}V${round2(y(finite(value)))}H${right}V${foot}Z`;
  });
}

/** @param {number} value @returns {number} 0 in place of what cannot be drawn. */
function finite(value) {
  return Number.isFinite(value) ? value : 0;
}

/**
 * A step chart with one tread a value, centred at 0, 1, 2, … Treads that look equally high are one, so that the path
 * of a sharp weighting has few corners however many locations there are. What is not finite leaves a gap.
 *
 * @param {Area} area
 * @param {ArrayLike<number>} values
 * @returns {{line: string, fill: string}}
 */
export function stepPaths(area, values) {
  const [x, y] = [across(area), up(area)];
  const foot = round2(y(0));
  let [line, fill] = ['', ''];
  for (let index = 0; index < values.length;) {
    if (!Number.isFinite(values[index])) {
      index += 1;
      continue;
    }
    const left = round2(x(index - 0.5));
    let height = round2(y(values[index]));
    let part = `M${left},${height}`;
    for (index += 1; Number.isFinite(values[index]); index++) {
      const next = round2(y(values[index]));
      if (next === height) continue;
      part += `H${round2(x(index - 0.5))}V${next}`;
      height = next;
    }
    part += `H${round2(x(index - 0.5))}`;
    line += part;
    fill += `${part}V${foot}H${left}Z`;
  }
  return {line, fill};
}

/**
 * @param {Area} area
 * @returns {(value: number) => number} Pixels from the left of the plot area.
 */
export function across({width, x: [low, high]}) {
  return (value) => ((value - low) / (high - low)) * width;
}

/**
 * @param {Area} area
 * @returns {(value: number) => number} Pixels from the top of the plot area.
 */
export function up({height, y: [low, high]}) {
  return (value) => height - ((value - low) / (high - low)) * height;
}

/** @param {number} value */
export function round2(value) {
  return Math.round(value * 100) / 100;
}

/**
 * Saves a figure as a file.
 *
 * @param {() => Figure} make Called once Plotly is there, for what a figure shows may move on while it loads.
 * @param {'png'|'svg'} format
 * @param {string} filename Without its extension.
 */
export async function saveFigure(make, format, filename) {
  const plotly = await loadPlotly();
  const {traces, layout} = make();
  const {width, height} = layout;
  await plotly.downloadImage({data: traces, layout}, {format, filename, width, height, scale: format === 'png' ? 3 : 1});
}

/**
 * Proves on small figures every private detail that this module relies on, and that Plotly's colours are those of our
 * lookup tables. For the tests: a new Plotly that breaks one of them fails here, by name.
 *
 * @returns {Promise<string>} The version that was checked.
 * @throws {Error} With one line for each broken assumption.
 */
export async function guardPrivateFields() {
  const {version} = await loadPlotly();
  const problems = [...await heatmapProblems(), ...await barProblems(), ...await stepProblems()];
  if (problems.length > 0) throw new Error(`Plotly ${version}:\n${problems.join('\n')}`);
  return version;
}

const GUARD_LAYOUT = Object.freeze({
  width: 260, height: 160, margin: Object.freeze({l: 40, r: 20, t: 10, b: 50, autoexpand: false}), shapes: [],
  showlegend: false, hovermode: false,
});

/**
 * @param {Figure} figure
 * @param {(host: PlotElement) => Promise<string[]>} check
 * @returns {Promise<string[]>}
 */
async function onScratchFigure(figure, check) {
  const host = document.createElement('div');
  host.style.cssText = 'position: fixed; left: -1000px; top: 0; width: 260px; height: 160px';
  document.body.append(host);
  try {
    return await check(await drawFigure(host, figure));
  } finally {
    removeFigure(host);
    host.remove();
  }
}

/**
 * @param {boolean} holds
 * @param {string} claim
 * @returns {string[]}
 */
function unless(holds, claim) {
  return holds ? [] : [`does not hold any more: ${claim}`];
}

/** @returns {Promise<string[]>} */
function heatmapProblems() {
  const count = 200;
  const rising = Float32Array.from({length: count}, (_, index) => index / (count - 1));
  /** @type {Trace} */
  const trace = {
    type: 'heatmap', z: [new Float32Array(count)], zmin: 0, zmax: 1, zauto: false, colorscale: colorscale(SEQUENTIAL),
    showscale: false, hoverinfo: 'none',
  };
  /** @type {[number, number]} */
  const range = [-0.5, count - 0.5];
  const layout = {...GUARD_LAYOUT, xaxis: {range}, yaxis: {range: [-0.5, 0.5], visible: false}};
  return onScratchFigure({traces: [trace], layout}, async (host) => {
    const area = areaOf(layout, range, [-0.5, 0.5]);
    const {xaxis, yaxis} = host._fullLayout;
    const places = [xaxis._offset, xaxis._length, yaxis._offset, yaxis._length];
    const problems = unless(
      `${places}` === `${[area.left, area.width, area.top, area.height]}`,
      `fixed margins place the axes (_offset, _length): ${places} for ${JSON.stringify(area)}`,
    );
    const before = host.calcdata;
    await loaded().relayout(host, {shapes: [{type: 'rect', x0: 5, x1: 9, y0: 0, y1: 1, yref: 'paper'}]});
    problems.push(
      ...unless(host.calcdata === before, 'relayout with whole shapes does not recalculate (calcdata is kept)'),
    );
    assignZ(host, 0, [rising]);
    await loaded().relayout(host, {'xaxis.range': [-0.5, count - 0.5001]});
    const [whole, bare] = [pictureOf(host, true), pictureOf(host, false)];
    problems.push(
      ...unless(whole.includes('<image') && !bare.includes('<image'), 'a picture holds the marks, or leaves them out'),
      ...unless(bare.includes('xtick'), 'a picture holds the axes'),
    );
    const farthest = await farthestColor(host, rising);
    problems.push(...unless(farthest <= 1, `values assigned to calcdata are drawn, within 1/255 of our table (${farthest})`));
    return problems;
  });
}

/**
 * @param {PlotElement} host A heatmap with one row, of values from 0 to 1 on the sequential map.
 * @param {Float32Array} values
 * @returns {Promise<number>} The largest difference of a channel between Plotly's picture and our pixels, 0 to 255.
 */
async function farthestColor(host, values) {
  const source = host.querySelector('.heatmaplayer image');
  const address = source?.getAttribute('href') ?? source?.getAttributeNS('http://www.w3.org/1999/xlink', 'href');
  if (!address) return Infinity;
  const image = new Image();
  image.src = address;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext('2d');
  if (!context) return Infinity;
  context.drawImage(image, 0, 0);
  const {data} = context.getImageData(0, Math.floor(image.height / 2), image.width, 1);
  const ours = new Uint32Array(values.length);
  paintCells(ours, [values], values.length, {low: 0, high: 1, map: SEQUENTIAL});
  const bytes = new Uint8Array(ours.buffer);
  let farthest = 0;
  for (let index = 0; index < values.length; index++) {
    const pixel = Math.floor(((index + 0.5) / values.length) * image.width);
    for (let channel = 0; channel < 4; channel++) {
      farthest = Math.max(farthest, Math.abs(bytes[4 * index + channel] - data[4 * pixel + channel]));
    }
  }
  return farthest;
}

/** @returns {Promise<string[]>} */
function barProblems() {
  const [centres, values] = [[-1, 0, 1], [0.25, 0.5, 0.125]];
  /** @type {[number, number]} */
  const x = [-1.5, 1.5];
  const layout = {...GUARD_LAYOUT, bargap: 0.25, xaxis: {range: x}, yaxis: {range: [0, 1]}};
  return onScratchFigure({traces: [{type: 'bar', x: centres, y: values}], layout}, async (host) => {
    const drawn = [...host.querySelectorAll('.barlayer .point path')].map((path) => path.getAttribute('d') ?? '');
    const ours = barPaths(areaOf(layout, x, [0, 1]), centres, values, 0.75);
    return unless(drawn.length === 3 && drawn.every((path, index) => samePath(path, ours[index])),
      `bars are drawn as ${ours.join(' ')}, but are ${drawn.join(' ')}`);
  });
}

/** @returns {Promise<string[]>} */
function stepProblems() {
  const values = [0.25, 0.25, 0.75, 0.5];
  /** @type {[number, number]} */
  const x = [-0.5, 3.5];
  const layout = {...GUARD_LAYOUT, xaxis: {range: x}, yaxis: {range: [0, 1]}};
  const filled = {
    type: 'scatter', mode: 'lines', line: {width: 1}, fill: 'tozeroy', x: stepEdges(4), y: stepHeights(values),
  };
  return onScratchFigure({traces: [filled, {...filled, fill: 'none'}], layout}, async (host) => {
    const ours = stepPaths(areaOf(layout, x, [0, 1]), values);
    const traces = host.querySelectorAll('.scatterlayer .trace');
    const line = traces[0]?.querySelector('.js-line')?.getAttribute('d') ?? '';
    return unless(samePath(line, ours.line), `step charts are drawn as ${ours.line}, but are ${line}`);
  });
}

/**
 * The x of a step chart's line: both ends of each tread.
 *
 * @param {number} count
 * @returns {Float64Array}
 */
export function stepEdges(count) {
  return Float64Array.from({length: 2 * count}, (_, index) => Math.ceil(index / 2) - 0.5);
}

/**
 * The y of a step chart's line: each value at both ends of its tread.
 *
 * @param {ArrayLike<number>} values
 * @returns {Float64Array}
 */
export function stepHeights(values) {
  return Float64Array.from({length: 2 * values.length}, (_, index) => values[index >> 1]);
}

/**
 * @param {string} drawn
 * @param {string} ours
 * @returns {boolean} Whether two SVG paths go through the same corners, within a twentieth of a pixel.
 */
function samePath(drawn, ours) {
  const [a, b] = [corners(drawn), corners(ours)];
  return a.length === b.length && a.every((value, index) => Math.abs(value - b[index]) <= 0.05);
}

/**
 * @param {string} path Of the commands M, L, H, V and Z.
 * @returns {number[]} x and y of each corner, without repetitions and without points on a straight run.
 */
function corners(path) {
  /** @type {[number, number][]} */
  const points = [];
  let [x, y] = [0, 0];
  for (const [, command, rest] of path.matchAll(/([MLHV])([^MLHVZ]*)/g)) {
    const numbers = rest.split(/[ ,]+/).filter(Boolean).map(Number);
    if (command === 'H') [x] = numbers;
    else if (command === 'V') [y] = numbers;
    else [x, y] = numbers;
    const [last, before] = [points.at(-1), points.at(-2)];
    if (last && last[0] === x && last[1] === y) continue;
    if (last && before && ((last[0] === x && before[0] === x) || (last[1] === y && before[1] === y))) points.pop();
    points.push([x, y]);
  }
  return points.flat();
}
