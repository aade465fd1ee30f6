/**
 * What a plot needs of the page's style. Plotly takes no CSS variables, so they are read once a theme.
 * @typedef {object} Theme
 * @property {boolean} dark
 * @property {'light'|'dark'} shade
 * @property {string} surface
 * @property {string} text
 * @property {string} muted
 * @property {string} line Axis lines and ticks.
 * @property {string} faint Lines that only divide.
 * @property {string} accent
 * @property {string} cursor
 * @property {string} error
 * @property {string} font
 */

/**
 * @param {Element} element
 * @param {boolean} dark
 * @returns {Theme} The tokens of styles/tokens.css as they apply to the element.
 */
export function readTheme(element, dark) {
  const style = getComputedStyle(element);
  const token = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  return {
    dark,
    shade: dark ? 'dark' : 'light',
    surface: token('--surface'),
    text: token('--text'),
    muted: token('--text-muted'),
    line: token('--border-strong'),
    faint: token('--border'),
    accent: token('--accent'),
    cursor: token('--cursor'),
    error: token('--error'),
    font: token('--font-ui'),
  };
}

/**
 * @param {Theme} a
 * @param {Theme} b
 * @returns {boolean}
 */
export function sameTheme(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}
