// Taking things away: the trace as data, a plot as an image.

/** @import {Actions} from '../actions.js' */
/** @import {Api} from '../api.js' */
/** @import {TraceRequest} from '../state.js' */
/** @import {Store} from '../store.js' */
import {failureFrom} from '../failure.js';
import {el} from './dom.js';
import {menu} from './menu.js';

/**
 * What the views offer for export.
 * @typedef {object} PlotExports
 * @property {() => {id: string, title: string, section: string}[]} plots
 * @property {(id: string, format: 'png'|'svg') => Promise<void>} exportPlot Saves one plot as an image.
 */

/**
 * @param {TraceRequest} request
 * @param {string} extension
 * @returns {string} A file name that says what the trace is of.
 */
export function traceFileName({checkpoint, task, seed, inputs}, extension) {
  const parts = [checkpoint, task?.name ?? 'episode', inputs ? 'typed' : `seed-${seed}`];
  return `${parts.join('-').replaceAll(/[^\w.-]+/g, '-')}.${extension}`;
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
function save(blob, name) {
  const url = URL.createObjectURL(blob);
  el('a', {href: url, download: name}).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/**
 * @param {object} parts
 * @param {Store} parts.store
 * @param {Api} parts.api
 * @param {Actions} parts.actions
 * @param {() => PlotExports} parts.views
 * @param {AbortSignal} parts.signal
 * @returns {HTMLElement}
 */
export function exportMenu({store, api, actions, views, signal}) {
  /** @param {'npz'|'json'} format */
  async function saveTrace(format) {
    const {request} = store.get();
    if (!request) return;
    exports.close();
    try {
      save(await api.downloadTrace(request, format, signal), traceFileName(request, format));
    } catch (error) {
      actions.notify('error', `The trace was not saved: ${failureFrom(error).message}`);
    }
  }

  /**
   * @param {string} id
   * @param {'png'|'svg'} format
   */
  async function saveImage(id, format) {
    exports.close();
    try {
      await views().exportPlot(id, format);
    } catch (error) {
      actions.notify('error', `The image was not saved: ${failureFrom(error).message}`);
    }
  }

  function content() {
    if (!store.get().trace.data) return [el('p', {class: 'menu-note'}, 'There is no trace to export yet.')];
    return [traceSection(saveTrace), imageSection(views().plots(), saveImage)];
  }

  const exports = menu({icon: 'download', label: 'Export', text: 'Export', content, signal});
  return exports.root;
}

/** @param {(format: 'npz'|'json') => void} saveTrace */
function traceSection(saveTrace) {
  return el('section', {class: 'menu-section'},
    el('p', {class: 'menu-title'}, 'Trace on screen'),
    el('div', {class: 'menu-row'},
      el('button', {type: 'button', class: 'button', title: 'For NumPy', onclick: () => saveTrace('npz')}, '.npz'),
      el('button', {type: 'button', class: 'button', title: 'For everything else', onclick: () => saveTrace('json')}, '.json')));
}

/**
 * @param {{id: string, title: string, section: string}[]} plots
 * @param {(id: string, format: 'png'|'svg') => void} saveImage
 */
function imageSection(plots, saveImage) {
  const select = el('select', {class: 'select', 'aria-label': 'Plot'}, ...grouped(plots));
  return el('section', {class: 'menu-section'},
    el('p', {class: 'menu-title'}, 'Image of a plot'),
    select,
    el('div', {class: 'menu-row'},
      el('button', {type: 'button', class: 'button', disabled: plots.length === 0, onclick: () => saveImage(select.value, 'png')}, 'PNG'),
      el('button', {type: 'button', class: 'button', disabled: plots.length === 0, onclick: () => saveImage(select.value, 'svg')}, 'SVG')));
}

/** @param {{id: string, title: string, section: string}[]} plots */
function grouped(plots) {
  const sections = [...new Set(plots.map(({section}) => section))];
  return sections.map((section) => el('optgroup', {label: section},
    ...plots.filter((plot) => plot.section === section).map(({id, title}) => el('option', {value: id}, title))));
}
