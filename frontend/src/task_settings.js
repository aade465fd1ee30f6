// Tasks and their settings: which fit a checkpoint, what they start with, and what kind of control each needs.

/** @import {JsonSchema, Summary, TaskInfo, TaskSettings} from './state.js' */

/**
 * Settings that say how an episode is coded. A trained machine's weights depend on them, so they stay as they were
 * trained unless a person insists.
 */
const CODING = new Set([
  'bits', 'item_length', 'context', 'normalised_over', 'layout', 'answer', 'kept', 'count_mean', 'count_deviation',
]);

/**
 * @typedef {object} Control One setting of a task.
 * @property {string} name
 * @property {string} title
 * @property {string} description
 * @property {'range'|'integer'|'number'|'choice'|'flag'} kind
 * @property {number|undefined} minimum
 * @property {number|undefined} maximum
 * @property {unknown[]} options For a choice.
 * @property {boolean} coding
 */

/**
 * @param {JsonSchema} schema Of a task's settings.
 * @returns {Control[]} In the schema's order, without the task's name.
 */
export function controlsOf(schema) {
  return Object.entries(schema.properties ?? {})
    .filter(([name]) => name !== 'name')
    .map(([name, property]) => controlOf(name, resolved(property, schema)));
}

/**
 * @param {string} name
 * @param {JsonSchema} property
 * @returns {Control}
 */
function controlOf(name, property) {
  const [kind, limits] = kindOf(name, property);
  return {
    name,
    title: name.replaceAll('_', ' '),
    description: property.description ?? '',
    kind,
    minimum: limits.minimum,
    maximum: limits.maximum,
    options: property.enum ?? [],
    coding: CODING.has(name),
  };
}

/**
 * @param {string} name
 * @param {JsonSchema} property
 * @returns {[Control['kind'], JsonSchema]} The kind, and where its bounds stand.
 */
function kindOf(name, property) {
  if (property.enum) return ['choice', property];
  if (property.type === 'boolean') return ['flag', property];
  if (property.type === 'integer') return ['integer', property];
  if (property.type === 'number') return ['number', property];
  if (property.type === 'array' && property.prefixItems?.length === 2) return ['range', property.prefixItems[0]];
  throw new TypeError(`Setting '${name}' has schema ${JSON.stringify(property)}, for which there is no control`);
}

/**
 * @param {JsonSchema} property
 * @param {JsonSchema} schema
 * @returns {JsonSchema} With a reference into $defs followed.
 */
function resolved(property, schema) {
  const name = property.$ref?.replace('#/$defs/', '');
  const target = name === undefined ? undefined : schema.$defs?.[name];
  return target ? {...target, ...property} : property;
}

/**
 * @param {TaskInfo} info
 * @param {Summary} checkpoint
 * @returns {boolean} Whether the machine has the channels of the task, as trained or with the task's defaults.
 */
export function fits(info, checkpoint) {
  if (checkpoint.task?.name === info.name) return true;
  const {input_size, output_size} = checkpoint.config;
  return info.input_channels.length === input_size && info.output_channels.length === output_size;
}

/**
 * @param {TaskSettings} settings
 * @param {TaskSettings} trained Of a checkpoint, on the same task.
 * @returns {TaskSettings} The settings, but coded as the checkpoint's weights need it.
 */
export function codedAs(settings, trained) {
  return {...settings, ...Object.fromEntries(Object.entries(trained).filter(([name]) => CODING.has(name)))};
}

/**
 * What a task starts with for a checkpoint: the settings it was trained with, else the task's defaults; every range
 * that is drawn from is set to its largest value, so that the episode on screen is as long as the training went.
 *
 * @param {TaskInfo} info
 * @param {Summary} checkpoint
 * @returns {TaskSettings}
 */
export function startingSettings(info, checkpoint) {
  const trained = checkpoint.task?.name === info.name ? checkpoint.task : null;
  /** @type {TaskSettings} */
  const settings = {...info.defaults, ...trained, name: info.name};
  for (const {name, kind, coding} of controlsOf(info.settings_schema)) {
    const range = settings[name];
    if (kind === 'range' && !coding && Array.isArray(range)) settings[name] = [range[1], range[1]];
  }
  return settings;
}

/**
 * @param {TaskInfo[]} tasks
 * @param {Summary} checkpoint
 * @returns {TaskSettings|null} The task to show a checkpoint on; null if none fits.
 */
export function startingTask(tasks, checkpoint) {
  const own = tasks.find(({name}) => name === checkpoint.task?.name);
  const info = own ?? tasks.find((task) => fits(task, checkpoint));
  return info ? startingSettings(info, checkpoint) : checkpoint.task;
}
