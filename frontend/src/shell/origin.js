// Where an imported model comes from: what its file told, what was assumed, how its readings did, and another reading.

/** @import {Detail, Origin, Question, Wishes} from '../state.js' */
/** @import {Child} from './dom.js' */
import {el} from './dom.js';

/**
 * @param {Origin} origin
 * @returns {Child[]} The words and the ranking.
 */
export function originSection(origin) {
  const {title, variant_title: variant, container, dtype, reason, inferred, assumed, warnings} = origin;
  return [
    el('h3', {}, 'Where it comes from'),
    el('p', {}, el('strong', {}, title), variant === title ? '' : `, ${variant}`, ` — ${container} file, computed in ${dtype}. `, sentence(reason)),
    ...warnings.map((warning) => el('p', {class: 'banner banner-warn'}, warning)),
    el('div', {class: 'origin-lists'}, sentences('Read from the file', inferred), sentences('Assumed', assumed)),
    ...(origin.ranking.length > 1 ? [ranking(origin)] : []),
  ];
}

/** @param {string} text */
function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;
}

/**
 * @param {string} title
 * @param {string[]} lines
 */
function sentences(title, lines) {
  return el('section', {}, el('h4', {}, title),
    lines.length > 0 ? el('ul', {}, ...lines.map((line) => el('li', {}, line))) : el('p', {class: 'text-muted'}, 'Nothing.'));
}

/** @param {Origin} origin */
function ranking({ranking: findings, variants, encodings, encoding, variant: chosen}) {
  const titles = new Map([...variants.map(({variant, title}) => /** @type {const} */ ([variant, title])), ...encodings.map(({name, title}) => /** @type {const} */ ([name, title]))]);
  const rows = findings.map(({variant, encoding: name, loss, wrong, sequences}) => el('tr', {},
    el('th', {scope: 'row'}, titles.get(variant) ?? variant,
      variant === chosen && name === encoding?.name && el('span', {class: 'chip'}, 'chosen')),
    el('td', {}, titles.get(name) ?? name),
    el('td', {class: 'table-number'}, loss === null ? 'not a number' : loss.toPrecision(3)),
    el('td', {class: 'table-number'}, `${(100 * wrong).toPrecision(3)} %`),
    el('td', {class: 'table-number'}, String(sequences))));
  return el('div', {class: 'table-wrap', tabindex: 0, role: 'region', 'aria-label': 'Readings of the file, the best first'},
    el('table', {class: 'table'},
      el('caption', {}, 'The readings that the file allows, tried on generated sequences of one task after another until one was solved; guessing loses 1 bit for each bit asked.'),
      el('thead', {}, el('tr', {}, ...['Reading', 'Task', 'loss, bit a bit', 'wrong', 'sequences'].map((name) => el('th', {scope: 'col'}, name)))),
      el('tbody', {}, ...rows)));
}

/**
 * A form that reads the same file another way.
 *
 * @param {Detail} detail
 * @param {Origin} origin
 * @param {(wishes: Wishes) => void} again
 * @returns {HTMLElement}
 */
export function readingForm(detail, origin, again) {
  const {variants, encodings, encoding, questions, wishes, variant: chosen} = origin;
  const wished = wishes.choices ?? {};
  const reading = select('Reading', variants.map(({variant, title}) => [variant, title]), wishes.variant ?? '', chosen);
  const task = select('Task', encodings.map(({name, title}) => [name, title]), wishes.encoding ?? '', encoding?.name);
  const answers = questions.map((question) => ({question, input: answerInput(question, question.answer)}));
  const choices = detail.choices.filter(({alternatives}) => alternatives.length > 0).map((choice) => ({
    choice, input: select(words(choice.choice), choice.alternatives.map((value) => [value, value]), String(wished[choice.choice] ?? ''), choice.value),
  }));
  const form = el('form', {class: 'reading'},
    el('div', {class: 'reading-fields'},
      variants.length > 1 && labelled('Reading', reading),
      encodings.length > 1 && labelled('Task', task),
      ...answers.map(({question, input}) => labelled(question.text, input))),
    el('details', {open: Object.keys(wished).length > 0}, el('summary', {}, 'Single conventions'),
      el('div', {class: 'reading-fields'}, ...choices.map(({choice, input}) => labelled(words(choice.choice), input)))),
    el('div', {class: 'dialog-actions'}, el('button', {class: 'button', type: 'submit'}, 'Read the file again')));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    again({
      importer: wishes.importer,
      variant: reading.value || null,
      encoding: task.value || null,
      answers: Object.fromEntries(answers.filter(({input}) => input.value !== '').map(({question, input}) => [question.name, input.valueAsNumber])),
      choices: Object.fromEntries(choices.filter(({input}) => input.value !== '').map(({choice, input}) => [choice.choice, input.value])),
    });
  });
  return form;
}

/**
 * A form that asks what a file does not tell.
 *
 * @param {Question[]} questions
 * @param {(answers: Record<string, number>) => void} answered
 * @returns {HTMLFormElement}
 */
export function questionForm(questions, answered) {
  const inputs = questions.map((question) => ({question, input: answerInput(question, question.default)}));
  const form = el('form', {class: 'reading'},
    el('div', {class: 'reading-fields'}, ...inputs.map(({question, input}) => labelled(question.text, input))),
    el('div', {class: 'dialog-actions'}, el('button', {class: 'button button-primary', type: 'submit'}, 'Open with these')));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    answered(Object.fromEntries(inputs.filter(({input}) => input.value !== '').map(({question, input}) => [question.name, input.valueAsNumber])));
  });
  return form;
}

/**
 * @param {Question} question
 * @param {number|null} value
 */
function answerInput({name, minimum, maximum, default: fallback}, value) {
  return el('input', {type: 'number', class: 'number', name, min: minimum, max: maximum, step: 1, value, required: fallback === null});
}

/**
 * @param {string} label
 * @param {HTMLElement} input
 */
function labelled(label, input) {
  return el('label', {class: 'reading-field'}, el('span', {}, label), input);
}

/**
 * A choice, or what the file's own evidence says.
 *
 * @param {string} name
 * @param {[string, string][]} options
 * @param {string} wished
 * @param {string|undefined} now What is in force without a wish.
 */
function select(name, options, wished, now) {
  const shown = options.find(([value]) => value === now)?.[1] ?? now ?? 'none';
  const list = el('select', {class: 'select', name},
    el('option', {value: ''}, wished ? 'as the file suggests' : `${shown} (as the file suggests)`),
    ...options.map(([value, title]) => el('option', {value}, title)));
  list.value = wished;
  return list;
}

/** @param {string} name */
function words(name) {
  return name.replaceAll('_', ' ');
}
