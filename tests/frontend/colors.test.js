import assert from 'node:assert/strict';
import {test} from 'node:test';

import {
  DIVERGING, ERROR, INK, SEQUENTIAL, TABLE_SIZE, colorAt, colorscale, cssAt, paintCells, parseHex, table,
} from '../../frontend/src/colors.js';

const MAPS = [SEQUENTIAL, DIVERGING.light, DIVERGING.dark, INK.light, INK.dark, ERROR.light, ERROR.dark];

/** Lightness of a colour as the eye sees it, 0 to 1. */
function luminance(rgb) {
  const [r, g, b] = rgb.map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

test('a table has its map\'s colours to within 1/255, at every position', () => {
  for (const map of MAPS) {
    const bytes = new Uint8Array(table(map).buffer);
    for (let index = 0; index <= 5000; index++) {
      const position = index / 5000;
      const entry = Math.round(position * (TABLE_SIZE - 1));
      colorAt(map, position).forEach((channel, offset) => {
        const away = Math.abs(bytes[4 * entry + offset] - channel);
        assert.ok(away <= 1.0, `${map.name} at ${position}: ${away}`);
      });
      assert.equal(bytes[4 * entry + 3], 255);
    }
  }
});

test('Plotly\'s colorscale has the same anchors, from 0 to 1', () => {
  const scale = colorscale(SEQUENTIAL);
  assert.equal(scale.length, SEQUENTIAL.anchors.length);
  assert.deepEqual([scale[0], scale.at(-1)], [[0, 'rgb(68, 1, 84)'], [1, 'rgb(253, 231, 37)']]);
  for (const [position, color] of scale) assert.equal(`rgb(${colorAt(SEQUENTIAL, position).map(Math.round).join(', ')})`, color);
});

test('amounts grow lighter, and signed values away from the middle stand out from the page', () => {
  const steps = Array.from({length: 101}, (_, index) => luminance(colorAt(SEQUENTIAL, index / 100)));
  assert.ok(steps.every((value, index) => index === 0 || value > steps[index - 1]));
  const half = Array.from({length: 51}, (_, index) => index / 100);
  const from = (map) => half.map((position) => luminance(colorAt(map, position)));
  assert.ok(from(DIVERGING.light).every((value, index, all) => index === 0 || value > all[index - 1]));
  assert.ok(from(DIVERGING.dark).every((value, index, all) => index === 0 || value < all[index - 1]));
});

test('the two sides of a signed map differ in blue against red, which every kind of colour vision keeps', () => {
  for (const map of [DIVERGING.light, DIVERGING.dark]) {
    const [below, above] = [colorAt(map, 0.25), colorAt(map, 0.75)];
    assert.ok(below[2] - below[0] > 60 && above[0] - above[2] > 60, map.name);
  }
});

test('cells are painted by value, clamped at the limits, and NaN is left as it was', () => {
  const pixels = new Uint32Array(6);
  paintCells(pixels, [[0, 1, NaN], [-5, 9, 0.5]], 3, {low: 0, high: 1, map: SEQUENTIAL});
  const lookup = table(SEQUENTIAL);
  assert.deepEqual([...pixels], [lookup[0], lookup[1023], 0, lookup[0], lookup[1023], lookup[512]]);
});

test('only the asked columns are painted', () => {
  const pixels = new Uint32Array(4);
  paintCells(pixels, [[1, 1, 1, 1]], 4, {low: 0, high: 1, map: SEQUENTIAL}, 1, 3);
  assert.deepEqual([...pixels].map((pixel) => pixel !== 0), [false, true, true, false]);
});

test('a single colour for a style sheet', () => {
  assert.equal(cssAt({low: -1, high: 1, map: SEQUENTIAL}, -1), 'rgb(68, 1, 84)');
  assert.equal(cssAt({low: -1, high: 1, map: SEQUENTIAL}, 7), 'rgb(253, 231, 37)');
  assert.equal(cssAt({low: -1, high: 1, map: SEQUENTIAL}, NaN), 'transparent');
  assert.throws(() => parseHex('#12345'), /Colour '#12345' is not six/);
});
