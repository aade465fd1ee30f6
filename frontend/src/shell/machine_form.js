// A machine's or recipe's fields as form controls, made from their JSON schema; only what was changed is given.

/** @import {JsonSchema} from '../state.js' */
import {el, mathText} from './dom.js';

/** What follows from the task, and what the dialog itself asks. */
const HIDDEN = new Set(['input_size', 'output_size', 'controller']);

/** An alternative whose numbers come with a file: there is nowhere to type them. */
const GIVEN = 'given';

/**
 * @typedef {object} Asked
 * @property {JsonSchema} schema
 * @property {Record<string, unknown>} start What each field begins with, where that is not the schema's default.
 * @property {Record<string, Record<string, string>>} [words] What an alternative is, in words.
 * @property {Record<string, Record<string, string[]>>} [matters] Fields that matter only where another has one of these values.
 * @property {Record<string, (string|null)[]>} [options] What may be chosen for a text; none: the field is left out.
 *
 * @typedef {object} Field
 * @property {string} name
 * @property {unknown} first
 * @property {HTMLElement} root
 * @property {HTMLInputElement|HTMLSelectElement} input
 * @property {() => unknown} value
 * @property {(value: unknown) => void} set
 *
 * @typedef {object} FieldSet
 * @property {string[]} names
 * @property {(names: string[]) => HTMLElement} part Some of the fields, to be put somewhere.
 * @property {() => Record<string, unknown>} changed The fields that differ from what the form began with, and matter.
 */

/**
 * @param {Asked} asked
 * @returns {FieldSet}
 */
export function fieldSet({schema, start, words = {}, matters = {}, options = {}}) {
  /** @type {Map<string, Field>} */
  const fields = new Map();
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const one = HIDDEN.has(name) ? null : field(name, resolved(property, schema), name in start ? start[name] : property.default, words[name] ?? {}, options[name]);
    if (one) fields.set(name, one);
  }
  const values = () => ({...start, ...Object.fromEntries([...fields].map(([name, {value}]) => [name, value()]))});
  const shown = () => {
    const now = values();
    for (const {name, root, input} of fields.values()) {
      root.hidden = !applies(matters[name], now);
      input.disabled = root.hidden;
    }
  };
  for (const {name, input} of fields.values()) {
    input.addEventListener('change', () => {
      if (!input.validity.valid) return;
      for (const [other, value] of Object.entries(brought(name, values()))) fields.get(other)?.set(value);
      shown();
    });
  }
  shown();
  return {
    names: [...fields.keys()],
    part: (names) => el('div', {class: 'reading-fields choice-fields'}, ...names.map((name) => fields.get(name)?.root)),
    changed: () => Object.fromEntries([...fields.values()].flatMap(({name, first, root, value}) => {
      const now = value();
      return root.hidden || JSON.stringify(now) === JSON.stringify(first) ? [] : [[name, now]];
    })),
  };
}

/**
 * @param {Record<string, string[]>|undefined} condition
 * @param {Record<string, unknown>} values
 */
function applies(condition, values) {
  return Object.entries(condition ?? {}).every(([name, allowed]) => allowed.includes(String(values[name])));
}

/**
 * What a change brings with it, since no machine could be built otherwise.
 *
 * @param {string} name The field that was changed.
 * @param {Record<string, any>} values All fields, after the change.
 * @returns {Record<string, unknown>} What other fields become.
 */
export function brought(name, values) {
  const {read_heads: reads, write_heads: writes, step_order: order, controller_layer_sizes: sizes} = values;
  if (name === 'controller_layer_sizes' && sizes) return {controller_layers: sizes.length, controller_size: Math.max(...sizes)};
  if (['controller_layers', 'controller_size'].includes(name) && sizes) return {controller_layer_sizes: null};
  const both = values.head_roles === 'read_and_write';
  const needed = values.schedule === 'address_last' ? 'write_then_read' : 'read_then_write';
  if (name === 'schedule' && (both || values.schedule === 'address_last')) return {step_order: needed};
  if (name === 'head_roles' && both) return {write_heads: reads, step_order: needed};
  if (name === 'read_heads' && both) return {write_heads: reads};
  if (name === 'write_heads' && both) return {read_heads: writes};
  if (order !== 'listed' || !['step_order', 'read_heads', 'write_heads'].includes(name)) return {};
  const listed = values.head_order ?? [];
  const fits = listed.length === reads + writes && listed.filter((/** @type {string} */ kind) => kind === 'read').length === reads;
  return {write_order: 'one_by_one', head_order: fits ? listed : [...Array(reads).fill('read'), ...Array(writes).fill('write')]};
}

/**
 * @param {JsonSchema} limits
 * @returns {string} Which numbers are allowed; empty if all are.
 */
export function rangeText({minimum, maximum, exclusiveMinimum, exclusiveMaximum}) {
  const number = (/** @type {number} */ value) => value.toLocaleString('en', {maximumSignificantDigits: 6}).replace('-', '−');
  if (minimum !== undefined && maximum !== undefined) return `${number(minimum)}\u00a0…\u00a0${number(maximum)}`;
  return [
    minimum !== undefined && `at least ${number(minimum)}`,
    exclusiveMinimum !== undefined && `more than ${number(exclusiveMinimum)}`,
    maximum !== undefined && `at most ${number(maximum)}`,
    exclusiveMaximum !== undefined && `less than ${number(exclusiveMaximum)}`,
  ].filter(Boolean).join(', ');
}

/**
 * @param {string} code The name that the command line uses.
 * @param {string|undefined} words
 * @returns {string} Both, where the words are more than the name; an option holds no markup.
 */
export function choiceText(code, words) {
  const small = words?.replace(/_\{?([t0-9-]+)\}?/g, (_, below) => [...below].map((one) => SUBSCRIPTS[one] ?? one).join('')).replace('^c', 'ᶜ');
  if (!small) return code;
  return small.toLowerCase() === code ? small : `${small} (${code})`;
}

/** @type {Record<string, string>} */
const SUBSCRIPTS = {0: '₀', 1: '₁', t: 'ₜ', '-': '₋'};

/**
 * A control below its label, and below that a line that tells what it is.
 *
 * @param {string} name
 * @param {string} label
 * @param {string} note
 * @param {HTMLInputElement|HTMLSelectElement} input
 */
export function explained(name, label, note, input) {
  input.id = `train-${name}`;
  if (note) input.setAttribute('aria-describedby', `${input.id}-note`);
  return el('div', {class: 'reading-field'}, el('label', {for: input.id}, label), input, noteLine(input.id, note));
}

/**
 * @param {string} id Of the control that it explains.
 * @param {string} note
 */
export function noteLine(id, note) {
  return note !== '' && el('small', {id: `${id}-note`}, ...mathText(note));
}

/**
 * @param {string} name
 * @param {JsonSchema} property
 * @param {unknown} first
 * @param {Record<string, string>} words
 * @param {(string|null)[]} [options]
 * @returns {Field|null}
 */
function field(name, property, first, words, options) {
  const kinds = [property, ...(property.anyOf ?? [])];
  const number = kinds.find(({type}) => type === 'integer' || type === 'number');
  const list = kinds.find(({type}) => type === 'array');
  const optional = kinds.some(({type}) => type === 'null');
  const choices = options ?? property.enum?.filter((choice) => choice !== GIVEN);
  const about = property.description ?? '';
  const of = (/** @type {HTMLInputElement|HTMLSelectElement} */ input, /** @type {string} */ range, /** @type {Pick<Field, 'value'|'set'>} */ rest) => {
    const note = [about, range && `${range[0].toUpperCase()}${range.slice(1)}${optional && number ? ', or none' : ''}.`].filter(Boolean).join(' ');
    return {name, first: first ?? null, input, root: explained(name, name.replaceAll('_', ' '), note, input), ...rest};
  };
  if (choices) {
    if (choices.every((choice) => choice === null)) return null;
    const input = el('select', {class: 'select', name}, ...choices.map((choice) => el('option', {value: String(choice ?? 'none'), selected: choice === first}, choiceText(String(choice ?? 'none'), words[String(choice)]))));
    return of(input, '', {value: () => choices[input.selectedIndex], set: (value) => { input.selectedIndex = choices.indexOf(/** @type {string} */ (value)); }});
  }
  if (property.type === 'boolean') {
    const input = el('input', {type: 'checkbox', name, checked: first === true});
    return of(input, '', {value: () => input.checked, set: (value) => { input.checked = value === true; }});
  }
  if (list) return listField(name, list.items ?? {}, optional, of);
  if (!number) return null;
  const input = el('input', {
    type: 'number', class: 'number', name, min: number.minimum ?? number.exclusiveMinimum, max: number.maximum ?? number.exclusiveMaximum,
    step: number.type === 'integer' ? 1 : 'any',
    value: /** @type {number|null} */ (first ?? null), required: !optional, placeholder: optional ? 'none' : null,
  });
  return of(input, rangeText(number), {
    value: () => (input.value === '' ? null : input.valueAsNumber),
    set: (value) => { input.value = String(value ?? ''); },
  });
}

/**
 * Several words or whole numbers in one line of text.
 *
 * @param {string} name
 * @param {JsonSchema} items
 * @param {boolean} optional
 * @param {(input: HTMLInputElement, range: string, rest: Pick<Field, 'value'|'set'>) => Field} of
 */
function listField(name, items, optional, of) {
  const one = items.enum ? `(?:${items.enum.join('|')})` : '[0-9]+';
  const shape = items.enum ? `${items.enum.join(' and ')}, with commas between` : 'whole numbers, with commas between';
  const input = el('input', {type: 'text', class: 'text-input', name, pattern: `\\s*${one}(?:[\\s,]+${one})*\\s*`, title: shape, placeholder: optional ? 'none' : null});
  return of(input, shape, {
    value() {
      const words = input.value.split(/[\s,]+/).filter(Boolean);
      return words.length === 0 ? null : words.map((word) => (items.enum ? word : Number(word)));
    },
    set: (value) => { input.value = Array.isArray(value) ? value.join(', ') : ''; },
  });
}

/**
 * @param {JsonSchema} property
 * @param {JsonSchema} schema
 * @returns {JsonSchema}
 */
function resolved(property, schema) {
  const target = schema.$defs?.[property.$ref?.replace('#/$defs/', '') ?? ''];
  return target ? {...target, ...property} : property;
}
