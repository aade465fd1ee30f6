/** @import {Child, IconName} from './dom.js' */
import {el, icon, replaceChildren} from './dom.js';

/**
 * A button that opens a small panel below it; Escape, a click elsewhere, or leaving it with Tab closes it.
 *
 * @param {object} parts
 * @param {IconName} parts.icon
 * @param {string} parts.label
 * @param {string} [parts.text] Shown beside the icon.
 * @param {() => Child[]} parts.content Made each time the panel opens.
 * @param {AbortSignal} parts.signal
 * @returns {{root: HTMLElement, button: HTMLButtonElement, refresh: () => void, close: () => void}}
 */
export function menu({icon: name, label, text, content, signal}) {
  const panel = el('div', {class: 'menu-panel', hidden: true, role: 'group', 'aria-label': label});
  const button = el('button', {type: 'button', class: 'button', 'aria-expanded': 'false', 'aria-label': label, title: label},
    icon(name), text ? el('span', {class: 'button-text'}, text) : null);
  const root = el('div', {class: 'menu'}, button, panel);

  /** @param {boolean} open */
  function show(open) {
    if (open !== (panel.hidden !== false)) return;
    if (open) replaceChildren(panel, ...content());
    panel.hidden = !open;
    button.setAttribute('aria-expanded', String(open));
    if (open) keepOnScreen(panel);
  }

  button.addEventListener('click', () => show(panel.hidden !== false));
  root.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || panel.hidden) return;
    event.stopPropagation();
    show(false);
    button.focus();
  });
  document.addEventListener('pointerdown', (event) => {
    if (!root.contains(/** @type {Node} */ (event.target))) show(false);
  }, {signal});
  root.addEventListener('focusout', (event) => {
    const next = /** @type {Node|null} */ (event.relatedTarget);
    if (next && !root.contains(next)) show(false);
  });
  return {
    root,
    button,
    refresh: () => {
      if (!panel.hidden) replaceChildren(panel, ...content());
    },
    close: () => show(false),
  };
}

/** @param {HTMLElement} panel */
function keepOnScreen(panel) {
  panel.style.translate = '0';
  const {left, right} = panel.getBoundingClientRect();
  const width = document.documentElement.clientWidth;
  const margin = 8;
  if (right > width - margin) panel.style.translate = `${width - margin - right}px`;
  else if (left < margin) panel.style.translate = `${margin - left}px`;
}
