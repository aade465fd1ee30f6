// About the chosen model: its card, its training, and each open choice beside what the paper says.

/** @import {Actions} from '../actions.js' */
/** @import {Choice, Detail, State, Summary, TraceState} from '../state.js' */
/** @import {Store} from '../store.js' */
/** @import {Child} from './dom.js' */
import {RECORDED} from '../api.js';
import {EAGER, whyEager} from './core_note.js';
import {el, mathText, modal} from './dom.js';
import {machineLine} from './machine_line.js';
import {originSection, readingForm} from './origin.js';
import {bytesText} from './upload.js';
import {whole} from './whole.js';

/**
 * @param {{store: Store, actions: Actions}} parts
 * @returns {() => void} Opens the panel.
 */
export function conventionsPanel({store, actions}) {
  const panel = modal('About this model', () => content(store.get(), actions, panel.close), 'dialog-wide');
  return panel.open;
}

/**
 * @param {State} state
 * @param {Actions} actions
 * @param {() => void} close
 * @returns {Child[]}
 */
function content({checkpoints, request, detail, trace}, actions, close) {
  const chosen = checkpoints.find(({id}) => id === request?.checkpoint);
  if (chosen?.source === 'recorded') return aboutRecording(chosen);
  if (!detail || detail.status === 'pending') return [el('p', {}, 'Loading…')];
  if (detail.status === 'failed') return [el('p', {class: 'text-error'}, detail.error.message)];
  return [...aboutModel(detail.value, actions, close), ...computedBy(trace, detail)];
}

/**
 * @param {TraceState} trace
 * @param {State['detail']} detail
 * @returns {HTMLElement[]} Which core computed the trace on screen.
 */
function computedBy({data}, detail) {
  if (!data) return [];
  const why = whyEager(data.header, detail);
  const told = why === null ? 'computed by the compiled core.' : `${EAGER}. ${why}`;
  return [el('p', {class: 'text-muted'}, `The trace on screen was ${told}`)];
}

/**
 * @param {Summary} recording
 * @returns {Child[]}
 */
function aboutRecording({name, bytes, config, task, warnings}) {
  return [
    el('p', {class: 'about-line'}, el('strong', {}, name), ` — ${bytesText(bytes)}, recorded elsewhere`),
    el('p', {}, `${RECORDED}; every view that only shows its steps works as ever.`),
    ...warnings.map((warning) => el('p', {class: 'banner banner-warn'}, warning)),
    ...record('Task', task),
    ...record('Machine', config),
  ];
}

/**
 * @param {Detail} detail
 * @param {Actions} actions
 * @param {() => void} close
 * @returns {Child[]}
 */
function aboutModel(detail, actions, close) {
  const {config, parameters, bytes, card, choices, warnings, training, results, task, imported} = detail;
  const heads = `${config.read_heads} read, ${config.write_heads} write`;
  return [
    el('p', {class: 'about-line'}, el('strong', {}, detail.name),
      ` — ${machineLine(detail)}, ${heads}, ${whole(parameters)} parameters, ${bytesText(bytes)}, ${detail.source}`),
    ...warnings.map((warning) => el('p', {class: 'banner banner-warn'}, warning)),
    ...cardParagraphs(card),
    ...(imported ? originSection(imported) : []),
    el('h3', {}, 'Conventions'),
    el('p', {class: 'text-muted'}, 'The equations leave these choices open. A model must run under the ones it was trained with.'),
    choicesTable(choices),
    ...(imported && detail.importable_again ? [
      el('h3', {}, 'Read it another way'),
      readingForm(detail, imported, (wishes) => {
        close();
        void actions.importAgain(wishes);
      }),
    ] : []),
    ...record('Task it was trained on', task),
    ...record('Training', training),
    ...record('Measured results', results),
  ];
}

/**
 * @param {string} card
 * @returns {HTMLElement[]}
 */
function cardParagraphs(card) {
  return card.split(/\n\s*\n/).map((text) => text.trim()).filter(Boolean).map((text) => el('p', {class: 'card'}, text));
}

/** @param {Choice[]} choices */
function choicesTable(choices) {
  return el('div', {class: 'table-wrap', tabindex: 0, role: 'region', 'aria-label': 'Conventions'},
    el('table', {class: 'table'},
      el('thead', {}, el('tr', {}, ...['Choice', 'This model', 'Graves et al. 2014'].map((name) => el('th', {scope: 'col'}, name)))),
      el('tbody', {}, ...choices.map(choiceRow))));
}

/** @param {Choice} choice */
function choiceRow({choice, description, value, words: meaning, paper, deviates}) {
  return el('tr', {'data-deviates': deviates},
    el('th', {scope: 'row'}, words(choice), el('small', {}, ...mathText(description))),
    el('td', {}, el('code', {}, value), deviates && el('span', {class: 'chip-warn'}, 'deviates'), meaning !== null && el('small', {}, ...mathText(meaning))),
    el('td', {}, paper === null ? el('span', {class: 'text-muted'}, 'leaves it open') : el('code', {}, paper)));
}

/**
 * A section with a record's entries; nested records become nested lists.
 *
 * @param {string} title
 * @param {Record<string, unknown>|null} entries
 * @returns {HTMLElement[]}
 */
function record(title, entries) {
  if (!entries || Object.keys(entries).length === 0) return [];
  return [el('h3', {}, title), definitions(entries)];
}

/**
 * @param {Record<string, unknown>} entries
 * @returns {HTMLElement}
 */
function definitions(entries) {
  return el('dl', {class: 'record'}, ...Object.entries(entries).flatMap(([name, value]) => [
    el('dt', {}, words(name)),
    el('dd', {}, isRecord(value) ? definitions(value) : plain(value)),
  ]));
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
function isRecord(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * @param {unknown} value
 * @returns {string}
 */
function plain(value) {
  if (value === null) return 'none';
  if (typeof value === 'number') return value.toLocaleString('en', {maximumSignificantDigits: 6});
  if (Array.isArray(value)) return value.map((item) => (isRecord(item) ? JSON.stringify(item) : plain(item))).join(', ');
  return String(value);
}

/** @param {string} name */
function words(name) {
  return name.replaceAll('_', ' ');
}
