// Colour maps. One list of anchor colours gives both Plotly's colorscale and the lookup table of the canvases,
// so that the two agree within 1/255 (tests/frontend/colors.test.js holds it).

/** @typedef {[number, number, number]} Rgb Red, green, blue, each 0 to 255. */
/** @typedef {[number, string][]} Colorscale Plotly's: position 0 to 1, colour. */

/**
 * A map from [0, 1] to colours through evenly spaced anchors, linear in sRGB as Plotly does it.
 * @typedef {{name: string, anchors: readonly Rgb[]}} ColorMap
 */

/** Entries of a lookup table. */
export const TABLE_SIZE = 1024;

/**
 * @param {string} name
 * @param {string} hexes Colours as six hexadecimal digits, apart by blanks.
 * @returns {ColorMap}
 */
function colorMap(name, hexes) {
  return Object.freeze({name, anchors: Object.freeze(hexes.split(' ').map(parseHex))});
}

/**
 * @param {string} hex Six hexadecimal digits, with or without a leading '#'.
 * @returns {Rgb}
 */
export function parseHex(hex) {
  const match = /^#?([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(hex.trim());
  if (!match) throw new RangeError(`Colour '${hex}' is not six hexadecimal digits`);
  return [parseInt(match[1], 16), parseInt(match[2], 16), parseInt(match[3], 16)];
}

/** For amounts in [0, 1], such as weightings: dark blue-violet to yellow, even in lightness. */
export const SEQUENTIAL = colorMap(
  'sequential', '440154 482878 3e4989 31688e 26828e 1f9e89 35b779 6ece58 b5de2b fde725',
);

/** For signed values: blue below zero, amber above, told apart by every common kind of colour vision. */
export const DIVERGING = Object.freeze({
  light: colorMap('diverging-light', '0a3069 1f63a8 5b9bd0 aacfe8 f6f6f4 f6cf94 dd9433 aa5e0c 5f2d02'),
  dark: colorMap('diverging-dark', 'b9dcff 6fb1ee 2f7cc0 1c4870 181c22 5f3d14 b06d14 e9a13f ffd9a0'),
});

/** For bits and probabilities: from paper to ink. */
export const INK = Object.freeze({
  light: colorMap('ink-light', 'eef0f3 1b2733'),
  dark: colorMap('ink-dark', '20262e eef2f6'),
});

/** For errors: from paper to vermilion, which no other map uses. */
export const ERROR = Object.freeze({
  light: colorMap('error-light', 'eef0f3 f0a37c d24a00'),
  dark: colorMap('error-dark', '20262e 8a3f1e ff6a2b'),
});

/**
 * The colour at a position, by linear interpolation between the two nearest anchors.
 *
 * @param {ColorMap} map
 * @param {number} position Clamped to [0, 1].
 * @returns {Rgb} Not rounded.
 */
export function colorAt({anchors}, position) {
  const place = Math.min(1, Math.max(0, position)) * (anchors.length - 1);
  const below = Math.min(Math.floor(place), anchors.length - 2);
  const part = place - below;
  const [from, to] = [anchors[below], anchors[below + 1]];
  const blend = (/** @type {0|1|2} */ channel) => from[channel] + part * (to[channel] - from[channel]);
  return [blend(0), blend(1), blend(2)];
}

/**
 * @param {ColorMap} map
 * @returns {Colorscale} The same map for Plotly.
 */
export function colorscale({anchors}) {
  return anchors.map((rgb, index) => [index / (anchors.length - 1), css(rgb)]);
}

/**
 * @param {Rgb} rgb
 * @returns {string}
 */
export function css(rgb) {
  return `rgb(${rgb.map(Math.round).join(', ')})`;
}

/** @type {Map<string, Uint32Array>} */
const tables = new Map();

/**
 * The map as opaque pixels for an ImageData's buffer (bytes R, G, B, A). Shared: read only.
 *
 * @param {ColorMap} map
 * @returns {Uint32Array} TABLE_SIZE pixels, from position 0 to position 1.
 */
export function table(map) {
  const known = tables.get(map.name);
  if (known) return known;
  const pixels = new Uint32Array(TABLE_SIZE);
  const bytes = new Uint8ClampedArray(pixels.buffer);
  for (let entry = 0; entry < TABLE_SIZE; entry++) {
    bytes.set([...colorAt(map, entry / (TABLE_SIZE - 1)).map(Math.round), 255], 4 * entry);
  }
  tables.set(map.name, pixels);
  return pixels;
}

/**
 * @param {{low: number, high: number, map: ColorMap}} scale
 * @param {number} value
 * @returns {string} The value's colour for a style sheet; NaN is transparent.
 */
export function cssAt({low, high, map}, value) {
  return Number.isNaN(value) ? 'transparent' : css(colorAt(map, (value - low) / (high - low)));
}

/**
 * Paints columns of a matrix, one pixel a cell. Values beyond the limits get the end colours; NaN is left
 * transparent, as Plotly does.
 *
 * @param {Uint32Array} pixels (row × column) of the whole image
 * @param {ArrayLike<number>[]} rows `rows[row][column]`
 * @param {number} width Columns of the image.
 * @param {{low: number, high: number, map: ColorMap}} scale
 * @param {number} [from] First column to paint.
 * @param {number} [to] Column after the last one to paint.
 */
export function paintCells(pixels, rows, width, {low, high, map}, from = 0, to = width) {
  const lookup = table(map);
  const last = TABLE_SIZE - 1;
  const factor = last / (high - low);
  for (let row = 0; row < rows.length; row++) {
    const values = rows[row];
    const base = row * width;
    for (let column = from; column < to; column++) {
      const value = values[column];
      if (value !== value) continue;
      const entry = (value - low) * factor + 0.5;
      pixels[base + column] = lookup[entry < 0 ? 0 : entry > last ? last : entry | 0];
    }
  }
}
