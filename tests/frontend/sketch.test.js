// A figure's stand-in, held against hand-worked places; tests/browser holds it against what Plotly draws.

import assert from 'node:assert/strict';
import test from 'node:test';

import {sketchOf} from '../../frontend/src/sketch.js';

const axis = (range, tickvals, title = '') => ({
  range, title: {text: title}, tickvals, ticktext: tickvals.map(String), tickcolor: '#888888', linecolor: '#999999',
});

/** An area of 100 × 50 pixels at (40, 10), x from 0 to 10, y from 0 to 1. */
const layout = (more = {}) => ({
  width: 160, height: 100, margin: {l: 40, r: 20, t: 10, b: 40, autoexpand: false}, font: {family: '"A & B", serif', color: '#111111'},
  xaxis: axis([0, 10], [0, 5, 10, 20]), yaxis: axis([0, 1], [0, 1]), shapes: [], bargap: 0.5, ...more,
});
const measure = (/** @type {string} */ text, /** @type {number} */ size) => text.length * size * 0.6;
const sketch = (traces, more = {}, marks = true) => sketchOf({traces, layout: layout(more)}, marks, measure);
const count = (text, part) => text.split(part).length - 1;

test('ticks lie at their values, and those beyond the axis are left out', () => {
  const svg = sketch([]);
  for (const x of [40, 90, 140]) assert.match(svg, new RegExp(`M${x},61v3`));
  assert.equal(count(svg, 'v3"'), 3);
  assert.match(svg, /M39,60h-3/);
  assert.match(svg, /M39,10h-3/);
  assert.match(svg, /<text x="90" y="76" text-anchor="middle" font-size="10px"[^>]*>5<\/text>/);
});

test('an axis that points down has its small values on top', () => {
  assert.match(sketch([], {yaxis: axis([4, 0], [1])}), /M39,22\.5h-3/);
});

test('the x title stays inside the figure, and the y title left of the widest label', () => {
  const svg = sketch([], {xaxis: axis([0, 10], [], 'step <i>t</i>'), yaxis: axis([0, 1], [1], 'w')});
  assert.match(svg, /<text x="90" y="90\.2"[^>]*>step <tspan font-style="italic">t<\/tspan><\/text>/);
  assert.match(svg, /rotate\(-90,20\.6,35\)/);
  assert.match(sketch([], {height: 80, margin: {l: 40, r: 20, t: 10, b: 20, autoexpand: false}, xaxis: axis([0, 10], [], 't')}), /y="77"/);
});

test('a line breaks where a value is missing', () => {
  const svg = sketch([{type: 'scatter', x: [0, 5, null, 5, 10], y: [0, 1, null, NaN, 0.5], line: {color: '#ff0000', width: 2, dash: 'dot'}}]);
  assert.match(svg, /d="M0,50L50,0M100,25" fill="none" stroke="#ff0000" stroke-width="2" stroke-dasharray="3"/);
});

test('an area goes down to zero under its line', () => {
  const svg = sketch([{type: 'scatter', x: [0, 10], y: [1, 0.5], fill: 'tozeroy', fillcolor: '#00ff0066', line: {color: '#00ff00', width: 1}}]);
  assert.match(svg, /d="M0,0L100,25L100,50L0,50Z" fill="#00ff0066"/);
});

test('bars stand on zero, as wide as the gap leaves', () => {
  const svg = sketch([{type: 'bar', x: [2, 6], y: [1, 0.5], marker: {color: '#0000ff'}}]);
  assert.match(svg, /d="M17\.5,50V0H22\.5V50Z" fill="#0000ff"/);
  assert.match(svg, /d="M57\.5,50V25H62\.5V50Z"/);
});

test('a frame surrounds its columns', () => {
  const svg = sketch([], {shapes: [{type: 'rect', x0: 2, x1: 3, line: {color: '#abcdef', width: 1.5, dash: 'dot'}}]});
  assert.match(svg, /<rect x="20" y="0" width="10" height="50" fill="none" stroke="#abcdef" stroke-width="1\.5" stroke-dasharray="3"/);
});

test('a heatmap brings its colour bar and leaves its cells to the canvas', () => {
  const heatmap = {
    type: 'heatmap', showscale: true, zmin: -1, zmax: 1, colorscale: [[0, 'rgb(0, 0, 0)'], [1, 'rgb(255, 255, 255)']],
    colorbar: {title: {text: 'value'}, tickvals: [-1, 0, 1], ticktext: ['-1', '0', '1'], tickcolor: '#888888'},
  };
  const svg = sketch([heatmap]);
  assert.match(svg, /<stop offset="1" stop-color="rgb\(255, 255, 255\)"/);
  assert.match(svg, /<rect x="147" y="10" width="9" height="50" fill="url\(#scale\)"/);
  assert.match(svg, /M155\.5,35h3/);
  assert.match(svg, /rotate\(-90,184\.5,35\)[^]*value/);
  assert.equal(count(sketch([{...heatmap, showscale: false}]), 'linearGradient'), 0);
  const wide = {...heatmap.colorbar, tickvals: [-1, 0.9, 1], ticktext: ['a long label', '0.9', '1']};
  assert.match(sketch([{...heatmap, colorbar: {...wide, title: {text: ''}}}]), /a long label/);
  assert.match(sketch([{...heatmap, colorbar: {...wide, title: {text: 'v'}}}]), /rotate\(-90,172\.5,35\)/);
});

test('without marks only what lies around them is drawn; hidden traces never are', () => {
  const line = {type: 'scatter', x: [0, 10], y: [0, 1], line: {color: '#ff0000', width: 1}};
  assert.equal(count(sketch([line], {}, false), '#ff0000'), 0);
  assert.equal(count(sketch([{...line, visible: false}]), '#ff0000'), 0);
  assert.equal(count(sketch([line]), '#ff0000'), 1);
});

test('raised and lowered parts return to the line, and everything else is text', () => {
  const svg = sketch([], {yaxis: {...axis([0, 1], [1]), ticktext: ['10<sup>−6</sup> & <b>"x"</b>']}, xaxis: axis([0, 10], [], 'w<sub>t</sub>!')});
  assert.match(svg, /10<tspan dy="-0\.6em" font-size="70%">−6<\/tspan><tspan dy="0\.42em">&#x200b;<\/tspan> &amp; &lt;b&gt;&quot;x&quot;&lt;\/b&gt;/);
  assert.match(svg, /w<tspan dy="0\.3em" font-size="70%">t<\/tspan><tspan dy="-0\.21em">/);
  assert.match(svg, /font-family="&quot;A &amp; B&quot;, serif"/);
});

test('words beside the area keep their place', () => {
  const svg = sketch([], {annotations: [{text: 'location <i>i</i>', x: 1, y: 0, xshift: 5, yshift: -11}]});
  assert.match(svg, /<text x="147" y="75" text-anchor="start" font-size="11px"/);
});
