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
 * @param {'p'|'span'} tag
 * @param {string} longest The most that the child will say.
 * @param {HTMLElement} child Says another thing each step, for which nothing else is to move or to be laid out.
 * @returns {HTMLElement} A box with room for that, whatever the reader's font, spacing and width.
 */
export function roomFor(tag, longest, child) {
  return element(tag, {class: 'room', 'data-longest': longest}, child);
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

/**
 * Says whether a button does nothing for now, where that is another than before. Other than a disabled one it keeps the focus.
 *
 * @param {Element} button
 * @param {boolean} idle
 */
export function setIdle(button, idle) {
  if (button.getAttribute('aria-disabled') !== String(idle)) button.setAttribute('aria-disabled', String(idle));
}

/** @param {Element} button */
export function isIdle(button) {
  return button.getAttribute('aria-disabled') === 'true';
}

/** Milliseconds that an answer may take before what it will replace is dimmed: to dim much of a page for less would cost more. */
const DIMMED_AFTER = 400;

/** @type {WeakMap<Element, ReturnType<typeof setTimeout>>} */
const dimming = new WeakMap();

/**
 * Says whether what an element shows is about to be replaced; `data-waiting` where that takes its time.
 *
 * @param {Element} target
 * @param {boolean} busy
 */
export function setBusy(target, busy) {
  if (target.getAttribute('aria-busy') === String(busy)) return;
  target.setAttribute('aria-busy', String(busy));
  clearTimeout(dimming.get(target));
  if (busy) dimming.set(target, setTimeout(() => target.setAttribute('data-waiting', ''), DIMMED_AFTER));
  else target.removeAttribute('data-waiting');
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

/** @returns {Promise<unknown>} When the browser is about to paint again. */
export function nextFrame() {
  return new Promise((resolve) => requestAnimationFrame(resolve));
}

/** When what is on the page now has been painted. */
export async function painted() {
  await nextFrame();
  await nextFrame();
}

/**
 * @param {Element} target
 * @returns {boolean} Whether a part of it is in the window.
 */
export function isInSight(target) {
  const {top, bottom} = target.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}
