// Train: what to train and with which choices; the runs there are; their learning curves.

/** @import {Actions} from '../actions.js' */
/** @import {Api} from '../api.js' */
/** @import {RunInfo, TaskInfo, TrainingOptions} from '../state.js' */
/** @import {Store} from '../store.js' */
import {failureFrom} from '../failure.js';
import {el, modal, replaceChildren} from './dom.js';
import {learningCurves} from './learning_curves.js';
import {fieldSet} from './machine_form.js';
import {settingFields} from './settings_form.js';
import {whole} from './whole.js';

const CONTROLLERS = /** @type {const} */ ([['lstm', 'LSTM'], ['gru', 'GRU'], ['feedforward', 'feed-forward']]);
const SIZES = new Set(['memory_size', 'word_size', 'read_heads', 'write_heads', 'shift_range', 'controller_size', 'controller_layers']);
const MAX_SEED = 2 ** 31 - 1;

/**
 * @param {{store: Store, api: Api, actions: Actions, signal: AbortSignal}} parts
 * @returns {() => void} Opens the dialog.
 */
export function trainDialog({store, api, actions, signal}) {
  const body = el('div', {class: 'train'});
  const panel = modal('Train a machine', () => [body], 'dialog-wide');
  const runs = runsSection({store, api, actions, signal, close: panel.close});

  async function fill() {
    const {tasks} = store.get();
    try {
      const options = await api.trainingOptions(signal);
      replaceChildren(body, trainForm({options, tasks, actions, started: panel.close}), runs.root);
    } catch (error) {
      if (!signal.aborted) replaceChildren(body, el('p', {class: 'text-error'}, failureFrom(error).message), runs.root);
    }
    runs.refresh();
  }
  return () => {
    replaceChildren(body, el('p', {}, 'Loading…'));
    panel.open();
    void fill();
  };
}

/**
 * @param {{options: TrainingOptions, tasks: TaskInfo[], actions: Actions, started: () => void}} parts
 * @returns {HTMLElement}
 */
function trainForm({options, tasks, actions, started}) {
  const trainable = tasks.filter(({name}) => options.best_known.some(({task}) => task === name));
  const task = el('select', {class: 'select', name: 'task'}, ...trainable.map(({name, title}) => el('option', {value: name}, title)));
  const controller = el('select', {class: 'select', name: 'controller'}, ...CONTROLLERS.map(([value, title]) => el('option', {value}, title)));
  const seed = el('input', {type: 'number', class: 'number', name: 'seed', min: 0, max: MAX_SEED, step: 1, value: 0, required: true});
  const name = el('input', {type: 'text', class: 'text-input', name: 'name', maxlength: 80, placeholder: 'named after task and seed'});
  const settings = el('div', {class: 'fields'});
  const machine = el('div', {});
  const choices = el('div', {});
  const recipe = el('div', {});
  /** @type {{settings: import('../state.js').TaskSettings, fields: import('./machine_form.js').FieldSet[], recipe: import('./machine_form.js').FieldSet}|null} */
  let form = null;

  /** @param {import('../state.js').TaskSettings} values */
  function drawSettings(values) {
    const info = trainable.find((one) => one.name === task.value);
    if (!info || !form) return;
    form.settings = values;
    replaceChildren(settings, ...settingFields(info, values, () => true, drawSettings));
  }

  function draw() {
    const info = trainable.find((one) => one.name === task.value);
    const best = options.best_known.find((one) => one.task === task.value && one.controller === controller.value);
    if (!info || !best) return;
    const sizes = fieldSet(options.machine_schema, best.machine, (field) => SIZES.has(field));
    const open = fieldSet(options.machine_schema, best.machine, (field) => !SIZES.has(field) && field !== 'controller');
    form = {settings: info.defaults, fields: [sizes, open], recipe: fieldSet(options.recipe_schema, best.recipe)};
    replaceChildren(machine, sizes.root);
    replaceChildren(choices, open.root);
    replaceChildren(recipe, form.recipe.root);
    drawSettings(info.defaults);
  }
  task.addEventListener('change', draw);
  controller.addEventListener('change', draw);
  draw();

  const labelled = (/** @type {string} */ label, /** @type {HTMLElement} */ input) => el('label', {class: 'reading-field'}, el('span', {}, label), input);
  const root = el('form', {class: 'reading train-form'},
    el('div', {class: 'reading-fields'}, labelled('Task', task), labelled('Controller', controller), labelled('Seed', seed), labelled('Name', name)),
    settings,
    el('details', {}, el('summary', {}, 'Sizes'), machine),
    el('details', {}, el('summary', {}, 'Every open choice of the machine'), choices),
    el('details', {}, el('summary', {}, 'Recipe'), recipe),
    el('div', {class: 'dialog-actions'}, el('button', {type: 'submit', class: 'button button-primary'}, 'Train')));
  root.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (!form) return;
    const asked = {
      name: name.value.trim() || `${task.value}, ${controller.value}, seed ${seed.value}`,
      task: form.settings,
      machine: Object.assign({controller: controller.value}, ...form.fields.map((fields) => fields.changed())),
      recipe: form.recipe.changed(),
      seed: seed.valueAsNumber,
    };
    if (await actions.runs.start(asked)) started();
  });
  return root;
}

/**
 * @param {{store: Store, api: Api, actions: Actions, signal: AbortSignal, close: () => void}} parts
 */
function runsSection({store, api, actions, signal, close}) {
  const list = el('tbody', {});
  const curves = learningCurves();
  const measure = el('select', {class: 'select', 'aria-label': 'Measure'}, el('option', {value: 'wrong_bits'}, 'wrong bits'), el('option', {value: 'loss_bits'}, 'loss'));
  const root = el('section', {class: 'train-runs'},
    el('h3', {}, 'Runs'),
    el('div', {class: 'table-wrap', tabindex: 0, role: 'region', 'aria-label': 'Runs'}, el('table', {class: 'table'},
      el('thead', {}, el('tr', {}, ...['', 'Run', 'stands', 'iterations', 'wrong bits', ''].map((text) => el('th', {scope: 'col'}, text)))), list)),
    el('div', {class: 'train-curves-head'}, el('h3', {}, 'Learning curves'), measure), curves.root);
  /** @type {Set<string>} */
  const left = new Set();

  async function drawCurves() {
    const shown = (store.get().runs ?? []).filter(({id, progress}) => progress && !left.has(id));
    curves.root.hidden = shown.length === 0;
    try {
      const measured = await Promise.all(shown.map(async (run) => ({run, rows: await api.runMetrics(run.id, signal)})));
      if (measured.length > 0 && curves.root.isConnected) await curves.draw(measured, measure.value === 'loss_bits' ? 'loss_bits' : 'wrong_bits');
    } catch (error) {
      if (!signal.aborted) actions.notify('error', `The learning curves were not drawn: ${failureFrom(error).message}`);
    }
  }
  measure.addEventListener('change', () => void drawCurves());

  /** @param {RunInfo} run */
  function row({id, name, status, progress, checkpoint}) {
    const box = el('input', {type: 'checkbox', checked: !left.has(id), 'aria-label': `Curve of ${name}`});
    box.addEventListener('change', () => {
      if (box.checked) left.delete(id);
      else left.add(id);
      void drawCurves();
    });
    const open = el('button', {type: 'button', class: 'button', disabled: !checkpoint, onclick: () => {
      close();
      actions.chooseCheckpoint(id);
    }}, 'Open');
    return el('tr', {}, el('td', {}, box), el('th', {scope: 'row'}, name), el('td', {}, el('span', {class: `run-status run-${status}`}, status)),
      el('td', {class: 'table-number'}, progress ? whole(progress.iteration) : '—'),
      el('td', {class: 'table-number'}, progress?.row ? String(Number(progress.row.wrong_bits.toPrecision(3))) : '—'), el('td', {}, open));
  }

  function refresh() {
    const {runs} = store.get();
    root.hidden = !runs || runs.length === 0;
    replaceChildren(list, ...(runs ?? []).map(row));
    void drawCurves();
  }
  return {root, refresh};
}
