/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node|string)} children
 * @returns {HTMLElementTagNameMap[K]} A new element.
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/**
 * @param {string} html Constant markup of this project, never from data.
 * @param {string} [className]
 * @returns {HTMLSpanElement} A formula.
 */
export function formula(html, className = 'math') {
  const span = element('span', {class: className});
  span.innerHTML = html;
  return span;
}

/**
 * Says whether a button is pressed, where that is another than before.
 *
 * @param {Element} button
 * @param {boolean} pressed
 */
export function setPressed(button, pressed) {
  if (button.getAttribute('aria-pressed') !== String(pressed)) button.setAttribute('aria-pressed', String(pressed));
}

/**
 * Hides or shows, where that is another than before.
 *
 * @param {HTMLElement} target
 * @param {boolean} hidden
 */
export function setHidden(target, hidden) {
  if (target.hidden !== hidden) target.hidden = hidden;
}

/** @type {WeakMap<Element, Text>} */
const texts = new WeakMap();

/**
 * Sets an element's text where it is another than before. It keeps one text node, since `textContent` would make a new
 * one each time, which costs several times as much.
 *
 * @param {Element} target Whose content nothing else sets.
 * @param {string} text
 */
export function setText(target, text) {
  let node = texts.get(target);
  if (!node) {
    node = document.createTextNode('');
    texts.set(target, node);
    target.replaceChildren(node);
  }
  if (node.data !== text) node.data = text;
}
