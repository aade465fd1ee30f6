// Small tools to make elements.

/** @typedef {string|Node|null|false|undefined} Child */

/**
 * An element with properties and children. `class`, `aria-*`, `data-*`, `role` and other attributes are set as
 * attributes, `onclick` and the like as listeners.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string|number|boolean|null|undefined|((event: any) => void)>} [attributes] null, undefined and
 *   false leave the attribute out.
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') node.addEventListener(name.replace(/^on/, ''), value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, String(value));
  }
  node.append(...present(children));
  return node;
}

/**
 * @param {Child[]} children
 * @returns {(string|Node)[]}
 */
function present(children) {
  return /** @type {(string|Node)[]} */ (children.filter((child) => child !== null && child !== false && child !== undefined));
}

/**
 * @param {Element} node
 * @param {...Child} children
 */
export function replaceChildren(node, ...children) {
  node.replaceChildren(...present(children));
}

/**
 * Children that stay as they are for as long as their keys are wanted: none is announced twice, nor loses the focus.
 *
 * @param {Element} root Whose children nothing else sets.
 * @returns {(wanted: [key: unknown, make: () => HTMLElement][]) => void}
 */
export function keyedChildren(root) {
  /** @type {Map<unknown, HTMLElement>} */
  let shown = new Map();
  root.replaceChildren();
  return (wanted) => {
    const before = shown;
    shown = new Map(wanted.map(([key, make]) => [key, before.get(key) ?? make()]));
    for (const [key, node] of before) if (!shown.has(key)) node.remove();
    [...shown.values()].forEach((node, at) => {
      if (root.children[at] !== node) root.insertBefore(node, root.children[at] ?? null);
    });
  };
}

/** A letter of an equation with what stands above it, below it, or both: w^c, M_0, w^c_t, M_{t-1}. */
const SYMBOL = /(?<![\p{L}\d_])(\p{L}(?:\^[a-z](?:_(?:\{[^}]+\}|\w))?|_(?:\{[^}]+\}|\w))(?![\p{L}\d_]))/u;

/**
 * Text in which M_0, w^c and M_{t-1} are set as the paper sets them.
 *
 * @param {string} text
 * @returns {Child[]}
 */
export function mathText(text) {
  return text.split(SYMBOL).map((piece, at) => {
    if (at % 2 === 0) return piece;
    const [above, below] = [/\^(\w)/, /_\{?([^}]+)/].map((part) => part.exec(piece)?.[1]);
    return el('span', {class: 'math'}, piece[0], above && el('sup', {}, above), below && el('sub', {}, below.replace('-', '−')));
  });
}

const SVG = 'http://www.w3.org/2000/svg';

/** Paths in a 16 × 16 box: stroked, or filled where the name is in FILLED. */
const ICONS = {
  play: 'M4.5 2.8v10.4a.5.5 0 0 0 .77.42l8-5.2a.5.5 0 0 0 0-.84l-8-5.2a.5.5 0 0 0-.77.42Z',
  pause: 'M4 3h2.8v10H4zM9.2 3H12v10H9.2z',
  previous: 'M12.2 3.2v9.6L5 8zM3.2 3h1.6v10H3.2z',
  next: 'M3.8 3.2v9.6L11 8zM11.2 3h1.6v10h-1.6z',
  loop: 'M3 7.2V6.5A2.5 2.5 0 0 1 5.5 4H12M9.8 1.8 12 4 9.8 6.2M13 8.8v.7a2.5 2.5 0 0 1-2.5 2.5H4M6.2 14.2 4 12l2.2-2.2',
  upload: 'M8 10.5V2.5M4.8 5.5 8 2.3l3.2 3.2M2.5 10.5v2a1 1 0 0 0 1 1h9a1 1 0 0 0 1-1v-2',
  trash: 'M2.5 4.2h11M6.2 4V2.5h3.6V4M4 4.3l.6 8.7a.8.8 0 0 0 .8.7h5.2a.8.8 0 0 0 .8-.7l.6-8.7M6.7 6.8v4.4M9.3 6.8v4.4',
  share: 'M6.7 9.3a2.7 2.7 0 0 0 3.9 0l2-2a2.75 2.75 0 0 0-3.9-3.9l-.8.8M9.3 6.7a2.7 2.7 0 0 0-3.9 0l-2 2a2.75 2.75 0 0 0 3.9 3.9l.8-.8',
  download: 'M8 2.3v8M4.8 7.3 8 10.5l3.2-3.2M2.5 13.5h11',
  theme: 'M8 1.8a6.2 6.2 0 1 0 0 12.4zM8 1.8a6.2 6.2 0 0 1 0 12.4',
  help: 'M5.8 6.1a2.25 2.25 0 1 1 3.4 1.95c-.8.45-1.2.9-1.2 1.85M8 12.3v.1',
  dice: 'M3.5 2.5h9a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1h-9a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1ZM5.5 5.5v.1M10.5 5.5v.1M8 8v.1M5.5 10.5v.1M10.5 10.5v.1',
  edit: 'M2.5 2.5h3.6v3.6H2.5zM9.9 2.5h3.6v3.6H9.9zM2.5 9.9h3.6v3.6H2.5zM9.9 9.9h3.6v3.6H9.9zM3.9 4.3h.8M11.3 11.7h.8',
  close: 'M4 4l8 8M12 4l-8 8',
  sliders: 'M2.5 4.7h5.3M11.2 4.7h2.3M2.5 11.3h2.3M8.2 11.3h5.3M9.5 3v3.4M6.5 9.6V13',
  minus: 'M3.5 8h9',
  plus: 'M3.5 8h9M8 3.5v9',
  train: 'M2.5 2.5v11h11M4.5 5c2 6 4.5 6.5 8.5 6.8',
  columns: 'M2.5 2.8h4.6v10.4H2.5zM8.9 2.8h4.6v10.4H8.9z',
  pin: 'M8 9.8V14M5 2.5h6M6 2.5v3.7L4.2 9.8h7.6L10 6.2V2.5',
};

const FILLED = new Set(['play', 'pause', 'previous', 'next']);

/** @typedef {keyof typeof ICONS} IconName */

/**
 * @param {IconName} name
 * @returns {SVGSVGElement} Decoration only: the button around it needs a label.
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('class', FILLED.has(name) ? 'icon icon-filled' : 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

/**
 * @param {IconName} name
 * @param {string} label For screen readers and the tooltip.
 * @param {() => void} onClick
 * @param {string} [extra] Further classes.
 */
export function iconButton(name, label, onClick, extra = '') {
  return el('button', {type: 'button', class: `button button-icon ${extra}`, 'aria-label': label, title: label, onclick: onClick}, icon(name));
}

/**
 * Asks before something that cannot be undone.
 *
 * @param {string} question
 * @param {string} action The word on the button that does it.
 * @returns {Promise<boolean>}
 */
export function confirmed(question, action) {
  return new Promise((resolve) => {
    const dialog = el('dialog', {class: 'dialog dialog-small', 'aria-label': question},
      el('form', {method: 'dialog'},
        el('p', {}, question),
        el('div', {class: 'dialog-actions'},
          el('button', {class: 'button', value: 'no'}, 'Cancel'),
          el('button', {class: 'button button-danger', value: 'yes'}, action))));
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
    document.body.append(dialog);
    dialog.showModal();
    closeOnLeaving(dialog);
  });
}

/**
 * Closes an open dialog when the browser goes to another address of the page, which is then another view below it.
 *
 * @param {HTMLDialogElement} dialog
 */
function closeOnLeaving(dialog) {
  const closed = new AbortController();
  dialog.addEventListener('close', () => closed.abort(), {once: true});
  window.addEventListener('popstate', () => dialog.close(), {signal: closed.signal});
}

/**
 * A modal dialog with a heading and a close button; its content is made each time it opens.
 *
 * @param {string} title
 * @param {() => Child[]} content
 * @param {string} [extra] Further classes.
 * @returns {{open: () => void, close: () => void}}
 */
export function modal(title, content, extra = '') {
  const body = el('div', {class: 'dialog-body', tabindex: 0});
  const dialog = el('dialog', {class: `dialog ${extra}`, 'aria-label': title},
    el('div', {class: 'dialog-header'},
      el('h2', {}, title),
      iconButton('close', 'Close', () => dialog.close())),
    body);
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.body.append(dialog);
  return {
    open() {
      replaceChildren(body, ...content());
      dialog.showModal();
      closeOnLeaving(dialog);
      body.scrollTop = 0;
    },
    close: () => dialog.close(),
  };
}
