/**
 * @param {number} value An integer.
 * @returns {string} Its digits in groups of three. The browser's own way to write it would first load its tables of
 *   languages, which takes a twentieth of the page's opening.
 */
export function whole(value) {
  return String(value).replace(/\B(?=(?:\d{3})+$)/g, ',');
}
