// Train: what to train and with which choices; the runs there are; their learning curves.

/** @import {Actions} from '../actions.js' */
/** @import {Api} from '../api.js' */
/** @import {RunInfo, TaskInfo, TaskSettings, TrainingOptions} from '../state.js' */
/** @import {Store} from '../store.js' */
import {failureFrom} from '../failure.js';
import {besideIn, keepFocus} from '../focus.js';
import {controlsOf} from '../task_settings.js';
import {el, modal, replaceChildren} from './dom.js';
import {latestMeasured, learningCurves} from './learning_curves.js';
import {choiceText, explained, fieldSet, noteLine, rangeText} from './machine_form.js';
import {createRunButtons} from './run_buttons.js';
import {standing} from './run_words.js';
import {settingFields} from './settings_form.js';
import {whole} from './whole.js';

const SIZES = ['memory_size', 'word_size', 'read_heads', 'write_heads', 'shift_range', 'controller_size', 'controller_layers', 'controller_layer_sizes'];

/** The open choices in the order of the equations; what is in no group comes last. */
const GROUPS = /** @type {const} */ ([
  ['Before step 1', ['initial_memory', 'initial_memory_value', 'initial_memory_scale', 'initial_weighting', 'initial_weighting_scale', 'initial_read', 'initial_controller']],
  ['Looking by content, eq. 1 and 2', ['key_activation', 'key_strength_activation', 'similarity', 'similarity_epsilon', 'similarity_epsilon_placement', 'similarity_offset', 'content_softmax']],
  ['Moving by location, eq. 3 to 5', ['interpolation_gate_activation', 'interpolation_gate_bias', 'previous_weighting', 'shift_kernel', 'shift_edge', 'sharpening_activation', 'sharpening_epsilon', 'sharpening_epsilon_placement']],
  ['Reading and writing, eq. 6 to 8', ['erase_activation', 'add_activation', 'head_roles', 'schedule', 'step_order', 'head_order', 'write_order']],
]);
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
      body.querySelector('select')?.focus();
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
  const {best_known, words, matters, growable} = options;
  const trainable = tasks.filter(({name}) => best_known.some(({task}) => task === name));
  const controllers = [...new Set(best_known.map((one) => one.controller))];
  const task = el('select', {class: 'select', name: 'task'}, ...trainable.map(({name, title}) => el('option', {value: name}, title)));
  const controller = el('select', {class: 'select', name: 'controller'},
    ...controllers.map((value) => el('option', {value}, choiceText(value, words.controller?.[value]))));
  const seed = el('input', {type: 'number', class: 'number', name: 'seed', min: 0, max: MAX_SEED, step: 1, value: 0, required: true});
  const name = el('input', {type: 'text', class: 'text-input', name: 'name', maxlength: 80, placeholder: 'named after task and seed'});
  const purpose = el('p', {class: 'train-purpose text-muted'});
  const settings = el('div', {class: 'reading-fields choice-fields'});
  const [sizes, choices, recipe] = [el('div', {}), el('div', {}), el('div', {})];
  /** @type {{settings: TaskSettings, machine: import('./machine_form.js').FieldSet, recipe: import('./machine_form.js').FieldSet}|null} */
  let form = null;

  function draw() {
    const info = trainable.find((one) => one.name === task.value);
    const best = best_known.find((one) => one.task === task.value && one.controller === controller.value);
    if (!info || !best) return;
    const grown = growable[task.value] ?? [];
    form = {
      settings: info.defaults,
      machine: fieldSet({schema: options.machine_schema, start: {...best.machine, controller: controller.value}, words, matters}),
      recipe: fieldSet({schema: options.recipe_schema, start: best.recipe, options: {grow: [null, ...grown]}}),
    };
    replaceChildren(purpose, info.description);
    replaceChildren(sizes, form.machine.part(SIZES));
    replaceChildren(choices, ...choiceGroups(form.machine));
    replaceChildren(recipe, form.recipe.part(form.recipe.names.filter((field) => field !== 'grow_every' || grown.length > 0)));
    replaceChildren(settings, ...taskFields(info, (name, value) => {
      if (form) form.settings = {...form.settings, [name]: value};
    }));
  }
  task.addEventListener('change', draw);
  controller.addEventListener('change', draw);
  draw();

  const submit = el('button', {type: 'submit', class: 'button button-primary'}, 'Train');
  const refusal = el('p', {class: 'text-error train-refusal', role: 'alert'});
  const root = el('form', {class: 'reading train-form'},
    el('div', {class: 'reading-fields train-first'},
      explained('task', 'Task', '', task), explained('controller', 'Controller', '', controller),
      explained('seed', 'Seed', '', seed), explained('name', 'Name', '', name)),
    purpose,
    settings,
    el('details', {}, el('summary', {}, 'Sizes'), sizes),
    el('details', {}, el('summary', {}, 'Every open choice of the machine'), choices),
    el('details', {}, el('summary', {}, 'Recipe'), recipe),
    el('div', {class: 'dialog-actions'}, refusal, submit));
  // The browser points at the first field that is wrong, which it cannot where that is folded away.
  root.addEventListener('invalid', ({target}) => unfold(/** @type {HTMLElement} */ (target)), true);
  root.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (!form) return;
    const asked = {
      name: name.value.trim() || `${task.value}, ${controller.value}, seed ${seed.value}`,
      task: form.settings,
      machine: {controller: controller.value, ...form.machine.changed()},
      recipe: form.recipe.changed(),
      seed: seed.valueAsNumber,
    };
    replaceChildren(refusal);
    submit.disabled = true;
    const failure = await actions.runs.start(asked);
    submit.disabled = false;
    if (!failure) return started();
    replaceChildren(refusal, `The run was not started: ${failure.message}`);
    const named = root.elements.namedItem(failure.field?.split('.').at(-1) ?? '');
    if (!(named instanceof HTMLElement)) return;
    unfold(named);
    named.focus();
  });
  return root;
}

/** @param {HTMLElement} field Is to be seen. */
function unfold(field) {
  const group = field.closest('details');
  if (group) group.open = true;
}

/**
 * @param {TaskInfo} info
 * @param {(name: string, value: unknown) => void} onChange
 * @returns {HTMLElement[]} The task's settings, as they are by default, each with a line that tells what it is.
 */
function taskFields(info, onChange) {
  return controlsOf(info.settings_schema).map((control) => {
    const id = `train-setting-${control.name}`;
    const range = control.options.length > 0 ? '' : rangeText(control);
    const fields = settingFields(info, info.defaults, ({name}) => name === control.name, (values) => onChange(control.name, values[control.name]));
    for (const input of fields.flatMap((field) => [...field.querySelectorAll('input, select')])) input.setAttribute('aria-describedby', `${id}-note`);
    return el('div', {class: 'reading-field'}, ...fields, noteLine(id, `${control.description} ${range && `${range}.`}`));
  });
}

/**
 * @param {import('./machine_form.js').FieldSet} machine
 * @returns {HTMLElement[]} The open choices, under headings.
 */
function choiceGroups(machine) {
  const named = new Set([...SIZES, ...GROUPS.flatMap(([, names]) => names)]);
  return [...GROUPS, /** @type {const} */ (['Controller, output and limits', machine.names.filter((name) => !named.has(name))])]
    .map(([title, names]) => el('section', {class: 'choice-group'}, el('h3', {}, title), machine.part([...names])));
}

/** @typedef {{root: HTMLElement, box: HTMLInputElement, update: (run: RunInfo) => void}} RunRow */

/** @param {string} name Of a column that explains itself to who sees it. */
function unseen(name) {
  return el('th', {scope: 'col'}, el('span', {class: 'visually-hidden'}, name));
}

/** @param {RunInfo[]} runs What curves are drawn of; when it changes, they do. */
function measuredOf(runs) {
  return runs.map(({status, progress}) => `${progress?.row?.iteration} ${status === 'finished'}`).join();
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
      el('thead', {}, el('tr', {}, unseen('Curve'), ...['Run', 'stands', 'iterations', 'wrong bits'].map((text) => el('th', {scope: 'col'}, text)), unseen('What to do'))), list)),
    el('div', {class: 'train-curves-head'}, el('h3', {}, 'Learning curves'), measure), curves.root);
  /** @type {Set<string>} */
  const left = new Set();
  /** @type {Map<string, RunRow>} */
  const rows = new Map();

  const measureRuns = latestMeasured({
    metricsOf: api.runMetrics,
    draw: async (measured) => {
      if (!curves.root.isConnected) return;
      const colors = await curves.draw(measured, measure.value === 'loss_bits' ? 'loss_bits' : 'wrong_bits');
      for (const [id, {box}] of rows) box.style.accentColor = colors.get(id) ?? '';
    },
    fail: (error) => actions.notify('error', `The learning curves were not drawn: ${failureFrom(error).message}`),
    signal,
  });

  function drawCurves() {
    const shown = (store.get().runs ?? []).filter(({id, progress}) => progress && !left.has(id));
    curves.root.hidden = shown.length === 0;
    measureRuns(shown);
  }
  measure.addEventListener('change', drawCurves);

  /** @param {RunInfo} run @returns {RunRow} */
  function row({id, name}) {
    const box = el('input', {type: 'checkbox', checked: !left.has(id), 'aria-label': `Curve of ${name}`});
    box.addEventListener('change', () => {
      if (box.checked) left.delete(id);
      else left.add(id);
      drawCurves();
    });
    const buttons = createRunButtons({actions, word: 'Open', keeps: false, show: () => {
      close();
      actions.chooseCheckpoint(id);
    }});
    const [stands, why] = [el('span', {}), el('small', {})];
    const [iterations, wrong] = [el('td', {class: 'table-number'}), el('td', {class: 'table-number'})];
    return {
      root: el('tr', {}, el('td', {}, box), el('th', {scope: 'row'}, name, why), el('td', {}, stands), iterations, wrong, el('td', {}, buttons.root)),
      box,
      update(run) {
        const {status, message, progress} = run;
        stands.className = `run-status run-${status}`;
        stands.textContent = standing(run);
        why.className = status === 'failed' ? 'text-error' : '';
        why.textContent = message ?? '';
        why.hidden = message === null;
        buttons.update(run, {watched: false, iteration: null});
        iterations.textContent = progress ? whole(progress.iteration) : '—';
        wrong.textContent = progress?.row ? String(Number(progress.row.wrong_bits.toPrecision(3))) : '—';
      },
    };
  }

  function refresh() {
    const runs = store.get().runs ?? [];
    root.hidden = runs.length === 0;
    const ids = runs.map(({id}) => id);
    for (const id of [...rows.keys()].filter((known) => !ids.includes(known))) removeRow(id);
    // The newest come first, and those that are known stay where they are, with the focus if it is there.
    for (const run of runs.toReversed().filter(({id}) => !rows.has(id))) {
      const made = row(run);
      rows.set(run.id, made);
      list.prepend(made.root);
    }
    update(runs);
    drawCurves();
  }

  /** @param {string} id Its row goes; where the focus was there, it passes to a row beside it, or to the form. */
  function removeRow(id) {
    const beside = besideIn(list, 'button:not([hidden])');
    keepFocus(list, () => rows.get(id)?.root.remove(), () => [...beside(), root.closest('dialog')?.querySelector('select')]);
    rows.delete(id);
  }

  /** @param {RunInfo[]} runs */
  function update(runs) {
    for (const run of runs) rows.get(run.id)?.update(run);
  }
  store.subscribe(({runs}, previous) => {
    if (!runs || runs === previous.runs || !root.closest('dialog')?.open) return;
    if (runs.length !== rows.size || runs.some(({id}) => !rows.has(id))) return refresh();
    update(runs);
    if (measuredOf(runs) !== measuredOf(previous.runs ?? [])) drawCurves();
  }, signal);
  return {root, refresh};
}
