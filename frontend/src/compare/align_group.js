// By what columns are aligned: which steps of them stand for the same moment.

/** @import {State} from '../state.js' */
/** @import {Store} from '../store.js' */
/** @import {CompareView} from './columns.js' */
import {el, replaceChildren} from '../shell/dom.js';
import {setHidden} from '../views/dom.js';
import {LETTERS} from './columns.js';

/**
 * @param {Store} store
 * @returns {{element: HTMLElement, update: (state: State) => void}} A list of what to align by; and for offsets by hand, a
 *   field for each column.
 */
export function alignGroup(store) {
  const set = (/** @type {Partial<CompareView>} */ patch) => store.set({compare: {...store.get().compare, ...patch}});
  const select = el('select', {class: 'select', id: 'align'});
  select.addEventListener('change', () => {
    const [align, ...phase] = select.value.split(':');
    set({align: /** @type {CompareView['align']} */ (align), ...(align === 'phase' ? {phase: phase.join(':')} : {})});
  });
  const fields = LETTERS.slice(1).map((letter, at) => {
    const input = el('input', {class: 'number align-offset', type: 'number', step: 1, 'aria-label': `Steps by which ${letter} is later than A`});
    input.addEventListener('change', () => {
      const offset = Math.round(input.valueAsNumber);
      if (Number.isFinite(offset)) store.set({columns: store.get().columns.map((column, index) => (index === at ? {...column, offset} : column))});
    });
    return {input, label: el('label', {class: 'field'}, el('span', {class: 'field-label'}, `${letter} later by`), input)};
  });
  let listed = '';

  /** @param {State} state */
  function update({compare, trace, head, columns}) {
    const header = trace.data?.header;
    const options = optionsFor(header?.phases ?? [], header?.heads[head]?.name ?? 'the head', compare);
    const key = JSON.stringify(options);
    if (key !== listed) replaceChildren(select, ...options.map(([value, text]) => el('option', {value}, text)));
    listed = key;
    const value = compare.align === 'phase' ? `phase:${compare.phase}` : compare.align;
    if (select.value !== value) select.value = value;
    fields.forEach(({input, label}, at) => {
      setHidden(label, compare.align !== 'hand' || at >= columns.length);
      const offset = String(columns[at]?.offset ?? 0);
      if (input !== document.activeElement && input.value !== offset) input.value = offset;
    });
  }
  return {element: el('div', {class: 'align-group'}, el('label', {class: 'field-label', for: 'align'}, 'Align by'), select, ...fields.map(({label}) => label)), update};
}

/**
 * @param {string[]} phases Of the main trace.
 * @param {string} head Name of the selected head.
 * @param {CompareView} view
 * @returns {[string, string][]} Value and text; a phase that a link names is there even if the main trace has none of it.
 */
function optionsFor(phases, head, {align, phase}) {
  const named = align === 'phase' && !phases.includes(phase) ? [...phases, phase] : phases;
  return [
    ['step', 'step'], ['delimiter', 'first output that counts'], ['jump', `first content jump of ${head}`],
    ...named.map((name) => /** @type {[string, string]} */ ([`phase:${name}`, `first step of phase '${name}'`])), ['hand', 'offsets by hand'],
  ];
}
