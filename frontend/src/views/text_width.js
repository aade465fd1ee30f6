// How wide a text of the plots is, without laying it out in the page.

/** @type {CanvasRenderingContext2D|null} */
let context = null;

/**
 * @param {string} text
 * @param {number} size In pixels.
 * @param {string} family Of the font.
 * @returns {number} Pixels.
 */
export function textWidth(text, size, family) {
  context ??= document.createElement('canvas').getContext('2d');
  if (!context) return 0.6 * size * text.length;
  context.font = `${size}px ${family}`;
  return context.measureText(text).width;
}
