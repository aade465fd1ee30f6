// Numbers as text.

/**
 * The shortest digits that give back exactly this number.
 *
 * @param {number} value
 * @param {'float32'|'float64'} dtype What the number was computed in.
 * @returns {string} With a hyphen-minus, as a program reads it.
 */
export function exact(value, dtype) {
  if (dtype === 'float64' || !Number.isFinite(value)) return String(value);
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}

/**
 * @param {string} digits
 * @returns {string} The same with a typographic minus.
 */
export function typeset(digits) {
  return digits.replaceAll('-', '−');
}

/**
 * A number for reading, not for calculating: about four digits.
 *
 * @param {number} value
 * @returns {string}
 */
export function brief(value) {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 1e5 || size < 1e-3) return typeset(value.toExponential(1).replace(/\.0e/, 'e').replace('e+', 'e'));
  if (size >= 100) return typeset(value.toFixed(1));
  return typeset(value.toFixed(size >= 10 ? 2 : 3));
}

/**
 * @param {number} value
 * @returns {string} A round number, such as an axis has, without zeros that say nothing.
 */
export function tick(value) {
  return typeset(String(Number(value.toPrecision(6))));
}

/**
 * @param {string} text A number as text.
 * @returns {string} With a plus sign in front, if it is above zero.
 */
export function signed(text) {
  return text.startsWith('−') || Number(text) === 0 || text === '–' ? text : `+${text}`;
}
