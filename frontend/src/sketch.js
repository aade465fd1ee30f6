// A figure as an SVG document of its own, drawn before Plotly is there: axes, titles, colour bars, lines, areas and bars,
// where Plotly will put them to the pixel, so that nobody sees the one replace the other. It knows of Plotly's figures
// what this page's figures use: fixed margins, given ticks, one x and one y axis. Heatmaps are left to the canvas over it.

/** @import {Area} from './plotly.js' */
/** @import {Figure, Layout, Shape, Trace} from './plotly_types.d.ts' */
import {across, areaOf, barPaths, round2, up} from './plotly.js';

/** @typedef {(text: string, size: number) => number} Measure Width of a text without markup in the figure's font, in pixels. */
/** @typedef {{range: [number, number], title: {text: string}, tickvals: number[], ticktext: string[], tickcolor: string, linecolor: string}} Axis */
/** @typedef {{title: {text: string}, tickvals?: number[], ticktext?: string[], tickcolor: string}} ColorBar */

const TICK_SIZE = 10;
const TITLE_SIZE = 11;

/**
 * @param {Figure} figure
 * @param {boolean} marks Whether its lines, areas and bars are in it, or only what lies around them.
 * @param {(text: string, size: number, family: string) => number} widthOf
 * @returns {string} An SVG document.
 */
export function sketchOf({traces, layout}, marks, widthOf) {
  const {width, height} = layout;
  const font = /** @type {{family: string, color: string}} */ (layout.font);
  const measure = (/** @type {string} */ text, /** @type {number} */ size) => widthOf(text, size, font.family);
  const [x, y] = [layout.xaxis, layout.yaxis].map((axis) => /** @type {Axis} */ (axis));
  const area = areaOf(layout, x.range, y.range);
  const parts = [
    ...(marks ? [inside(area, [...traces.flatMap((trace) => marksOf(trace, area, layout)), ...layout.shapes.map((shape) => frame(shape, area))])] : []),
    xAxis(x, area, height), yAxis(y, area, measure),
    ...traces.flatMap((trace) => colorBarOf(trace, area, measure)),
    ...annotations(layout, area),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="${escaped(font.family)}" `
    + `fill="${font.color}" shape-rendering="auto">${parts.join('')}</svg>`;
}

/**
 * @param {Area} area
 * @param {string[]} marks In pixels of the area.
 */
function inside({left, top, width, height}, marks) {
  return `<svg x="${left}" y="${top}" width="${width}" height="${height}" stroke-miterlimit="2">${marks.join('')}</svg>`;
}

/**
 * @param {Trace} trace
 * @param {Area} area
 * @param {Layout} layout
 * @returns {string[]}
 */
function marksOf(trace, area, layout) {
  if (trace.visible === false) return [];
  if (trace.type === 'scatter') return linesOf(trace, area);
  return trace.type === 'bar' ? barsOf(trace, area, layout) : [];
}

/**
 * @param {Trace} trace
 * @param {Area} area
 */
function linesOf(trace, area) {
  const {x, y, line, fill, fillcolor} = /** @type {{x: ArrayLike<number|null>, y: ArrayLike<number|null>, line: {color: string, width: number, dash?: string}, fill?: string, fillcolor?: string}} */ (/** @type {unknown} */ (trace));
  const runs = runsOf(x, y, area);
  const foot = round2(up(area)(0));
  const areas = fill === 'tozeroy' ? runs.map(({d, first, last}) => `<path d="${d}L${last},${foot}L${first},${foot}Z" fill="${fillcolor}"/>`) : [];
  const dashes = line.dash === 'dot' ? ` stroke-dasharray="${Math.max(3, line.width)}"` : '';
  return [...areas, `<path d="${runs.map(({d}) => d).join('')}" fill="none" stroke="${line.color}" stroke-width="${line.width}"${dashes}/>`];
}

/**
 * The unbroken parts of a line.
 *
 * @param {ArrayLike<number|null>} x
 * @param {ArrayLike<number|null>} y Null and NaN break the line.
 * @param {Area} area
 */
function runsOf(x, y, area) {
  /** @type {{d: string, first: number, last: number}[]} */
  const runs = [];
  let broken = true;
  for (let index = 0; index < x.length; index++) {
    const [a, b] = [x[index], y[index]];
    const missing = a === null || b === null || !Number.isFinite(a) || !Number.isFinite(b);
    if (!missing) {
      const [px, py] = [round2(across(area)(a)), round2(up(area)(b))];
      if (broken) runs.push({d: '', first: px, last: px});
      const run = runs[runs.length - 1];
      run.d += `${broken ? 'M' : 'L'}${px},${py}`;
      run.last = px;
    }
    broken = missing;
  }
  return runs;
}

/**
 * @param {Trace} trace
 * @param {Area} area
 * @param {Layout} layout
 */
function barsOf(trace, area, layout) {
  const {x, y, marker} = /** @type {{x: number[], y: ArrayLike<number>, marker: {color: string}}} */ (/** @type {unknown} */ (trace));
  return barPaths(area, x, y, 1 - Number(layout.bargap)).map((d) => `<path d="${d}" fill="${marker.color}"/>`);
}

/**
 * @param {Shape} shape A rectangle as high as the area.
 * @param {Area} area
 */
function frame(shape, area) {
  const {x0, x1, line} = /** @type {{x0: number, x1: number, line: {color: string, width: number, dash: string}}} */ (/** @type {unknown} */ (shape));
  const [left, right] = [across(area)(x0), across(area)(x1)];
  const dashes = line.dash === 'dot' ? ` stroke-dasharray="${Math.max(3, line.width)}"` : '';
  return `<rect x="${round2(left)}" y="0" width="${round2(right - left)}" height="${area.height}" fill="none" stroke="${line.color}" stroke-width="${line.width}"${dashes}/>`;
}

/**
 * @param {Axis} axis
 * @param {Area} area
 * @param {number} height Of the figure.
 */
function xAxis(axis, area, height) {
  const {left, top, width} = area;
  const bottom = top + area.height;
  const ticks = ticksIn(axis).map(({value, label}) => {
    const x = round2(left + across(area)(value));
    return rule(`M${x},${bottom + 1}v3`, axis.tickcolor) + text(label, {x, y: bottom + 16, anchor: 'middle', size: TICK_SIZE});
  });
  const baseline = Math.min(bottom + 30.2, height - 3);
  return rule(`M${left - 1},${bottom + 0.5}H${left + width}`, axis.linecolor) + ticks.join('')
    + text(axis.title.text, {x: left + width / 2, y: baseline, anchor: 'middle', size: TITLE_SIZE});
}

/**
 * @param {Axis} axis
 * @param {Area} area
 * @param {Measure} measure
 */
function yAxis(axis, area, measure) {
  const {left, top, height} = area;
  const labels = ticksIn(axis);
  const ticks = labels.map(({value, label}) => {
    const y = round2(top + up(area)(value));
    return rule(`M${left - 1},${y}h-3`, axis.tickcolor) + text(label, {x: left - 6, y: y + 3.5, anchor: 'end', size: TICK_SIZE});
  });
  const x = left - 6 - widest(labels, measure) - 7.4;
  return rule(`M${left - 0.5},${top}V${top + height}`, axis.linecolor) + ticks.join('') + upright(axis.title.text, x, top + height / 2);
}

/**
 * @param {Trace} trace
 * @param {Area} area
 * @param {Measure} measure
 * @returns {string[]}
 */
function colorBarOf(trace, {left, top, width, height}, measure) {
  if (trace.type !== 'heatmap' || !trace.showscale) return [];
  const {zmin, zmax, colorscale, colorbar} = /** @type {{zmin: number, zmax: number, colorscale: [number, string][], colorbar: ColorBar}} */ (/** @type {unknown} */ (trace));
  const right = left + width;
  const stops = colorscale.map(([at, color]) => `<stop offset="${at}" stop-color="${color}"/>`).join('');
  const labels = ticksIn({range: [zmin, zmax], tickvals: colorbar.tickvals ?? [], ticktext: colorbar.ticktext ?? []});
  const heightOf = (/** @type {number} */ value) => round2(top + height * (1 - (value - zmin) / (zmax - zmin)));
  const ticks = labels.map(({value, label}) => {
    const y = heightOf(value);
    return rule(`M${right + 15.5},${y}h3`, colorbar.tickcolor) + text(label, {x: right + 20.5, y: y + 3.5, anchor: 'start', size: TICK_SIZE});
  });
  const title = colorbar.title.text;
  const middle = top + height / 2;
  const reach = widest([{label: title}], measure, TITLE_SIZE) / 2 + TICK_SIZE;
  const beside = labels.filter(({value}) => Math.abs(heightOf(value) - middle) < reach);
  return [
    `<linearGradient id="scale" x1="0" y1="1" x2="0" y2="0">${stops}</linearGradient>`
    + `<rect x="${right + 7}" y="${top}" width="9" height="${height}" fill="url(#scale)"/>${ticks.join('')}`
    + upright(title, right + 32.5 + widest(beside, measure), middle),
  ];
}

/**
 * @param {Layout} layout
 * @param {Area} area
 * @returns {string[]} Words at a place of the area, to the right of it.
 */
function annotations(layout, {left, top, width, height}) {
  const all = /** @type {{text: string, x: number, y: number, xshift: number, yshift: number}[]} */ (layout.annotations ?? []);
  return all.map((one) => text(one.text, {
    x: left + one.x * width + one.xshift + 2, y: top + (1 - one.y) * height - one.yshift + 4, anchor: 'start', size: TITLE_SIZE,
  }));
}

/**
 * @param {Pick<Axis, 'range'|'tickvals'|'ticktext'>} axis
 * @returns {{value: number, label: string}[]} Those that lie on it.
 */
function ticksIn({range, tickvals, ticktext}) {
  const [low, high] = [Math.min(...range), Math.max(...range)];
  const room = 1e-6 * (high - low);
  return tickvals.map((value, index) => ({value, label: ticktext[index]})).filter(({value}) => value >= low - room && value <= high + room);
}

/**
 * @param {{label: string}[]} labels
 * @param {Measure} measure
 * @param {number} [size]
 */
function widest(labels, measure, size = TICK_SIZE) {
  return labels.reduce((most, {label}) => Math.max(most, measure(label.replace(/<[^>]*>/g, ''), size)), 0);
}

/**
 * @param {string} d
 * @param {string} color
 */
function rule(d, color) {
  return `<path d="${d}" fill="none" stroke="${color}" shape-rendering="crispEdges"/>`;
}

/**
 * @param {string} html
 * @param {number} x
 * @param {number} middle
 */
function upright(html, x, middle) {
  return html === '' ? '' : `<g transform="rotate(-90,${round2(x)},${middle})">${text(html, {x: round2(x), y: middle, anchor: 'middle', size: TITLE_SIZE})}</g>`;
}

/**
 * @param {string} html With <i>, <sub> and <sup>.
 * @param {{x: number, y: number, anchor: 'start'|'middle'|'end', size: number}} place
 */
function text(html, {x, y, anchor, size}) {
  return html === '' ? '' : `<text x="${x}" y="${y}" text-anchor="${anchor}" font-size="${size}px" style="white-space: pre">${spans(html)}</text>`;
}

/** How far from the line a raised or lowered part lies, and back, in ems of its own size. */
const RISES = Object.freeze({sup: ['-0.6em', '0.42em'], sub: ['0.3em', '-0.21em']});

/**
 * @param {string} html
 * @returns {string} SVG; what is no markup of ours is shown as it is.
 */
function spans(html) {
  return html.split(/(<\/?(?:i|sub|sup)>)/).map((part) => {
    const [, closing, name] = /^<(\/?)(i|sub|sup)>$/.exec(part) ?? [];
    if (name === undefined) return escaped(part);
    if (name === 'i') return closing ? '</tspan>' : '<tspan font-style="italic">';
    const [away, back] = RISES[/** @type {'sub'|'sup'} */ (name)];
    return closing ? `</tspan><tspan dy="${back}">&#x200b;</tspan>` : `<tspan dy="${away}" font-size="70%">`;
  }).join('');
}

/** @param {string} text */
function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
