// A machine's or recipe's fields as form controls, made from their JSON schema; only what was changed is given.

/** @import {JsonSchema} from '../state.js' */
import {el, mathText} from './dom.js';

/** What follows from the task, and what one control cannot hold. */
const HIDDEN = new Set(['input_size', 'output_size', 'head_order', 'head_roles', 'controller_layer_sizes']);

/**
 * @typedef {object} FieldSet
 * @property {HTMLElement} root
 * @property {() => Record<string, unknown>} changed The fields that differ from what the form began with.
 */

/**
 * @param {JsonSchema} schema
 * @param {Record<string, unknown>} start What each field begins with, where that is not the schema's default.
 * @param {(name: string) => boolean} [wanted]
 * @returns {FieldSet}
 */
export function fieldSet(schema, start, wanted = () => true) {
  const fields = Object.entries(schema.properties ?? {})
    .filter(([name]) => !HIDDEN.has(name) && wanted(name))
    .map(([name, property]) => field(name, resolved(property, schema), name in start ? start[name] : property.default));
  return {
    root: el('div', {class: 'reading-fields'}, ...fields.filter((one) => one !== null).map(({root}) => root)),
    changed: () => Object.fromEntries(fields.flatMap((one) => {
      if (!one) return [];
      const value = one.value();
      return Object.is(value, one.first) ? [] : [[one.name, value]];
    })),
  };
}

/**
 * @param {string} name
 * @param {JsonSchema} property
 * @param {unknown} first
 */
function field(name, property, first) {
  const choices = property.enum;
  const number = [property, ...(property.anyOf ?? [])].find(({type}) => type === 'integer' || type === 'number');
  const optional = property.anyOf?.some(({type}) => type === 'null') ?? false;
  const title = property.description ?? '';
  const label = (/** @type {HTMLElement} */ input) => el('label', {class: 'reading-field', title}, el('span', {}, ...mathText(name.replaceAll('_', ' '))), input);
  if (choices) {
    const input = el('select', {class: 'select', name}, ...choices.map((choice) => el('option', {value: String(choice), selected: choice === first}, String(choice))));
    return {name, first, root: label(input), value: () => choices[input.selectedIndex]};
  }
  if (property.type === 'boolean') {
    const input = el('input', {type: 'checkbox', name, checked: first === true});
    return {name, first, root: label(input), value: () => input.checked};
  }
  if (!number) return null;
  const input = el('input', {
    type: 'number', class: 'number', name, min: number.minimum, max: number.maximum, step: number.type === 'integer' ? 1 : 'any',
    value: /** @type {number|null} */ (first ?? null), required: !optional, placeholder: optional ? 'none' : null,
  });
  return {name, first: first ?? null, root: label(input), value: () => (input.value === '' ? null : input.valueAsNumber)};
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
