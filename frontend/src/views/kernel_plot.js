/** @import {Model} from './model.js' */
/** @import {Size} from './layout.js' */
/** @import {PlotSpec} from './panel.js' */
import {areaOf, barPaths} from '../plotly.js';
import {brief, exact, signed, tick, typeset} from './format.js';
import {baseLayout} from './layout.js';
import {expectedShift} from './measures.js';

const MARGIN = Object.freeze({l: 46, r: 12, t: 6, b: 36});
const BAR_WIDTH = 0.7;

/** @returns {PlotSpec} The shift weighting s_t over the allowed shifts. */
export function kernelPlot() {
  return {
    id: 'kernel',
    title: 'Shift kernel',
    symbol: '<i>s<sub>t</sub></i>',
    caption: 'How far the focus moves.',
    height: 220,
    selects: null,
    links: {x: null, y: null},
    depends: ({data}) => [data.header.shifts.length],
    area,
    figure: (model, size) => ({
      traces: [{
        type: 'bar', x: model.data.header.shifts, y: kernel(model), marker: {color: model.theme.accent}, hoverinfo: 'skip',
      }],
      layout: {
        ...baseLayout(model.theme, size, MARGIN, {
          x: {
            title: 'shift in locations', range: shiftRange(model), values: shiftTicks(model),
            labels: shiftTicks(model).map((shift) => signed(tick(shift))), fixed: true,
          },
          y: {title: '<i>s</i>', range: [0, 1], values: [0, 0.25, 0.5, 0.75, 1], fixed: true},
        }),
        bargap: 1 - BAR_WIDTH,
      },
    }),
    cells: null,
    motion: {
      kind: 'paths',
      paths: (model, place) => [{
        d: barPaths(place, model.data.header.shifts, kernel(model), BAR_WIDTH).join(''),
        fill: model.theme.accent, stroke: 'none', width: 0,
      }],
      values: (model) => [kernel(model)],
    },
    read(model, x) {
      const index = model.data.header.shifts.indexOf(Math.round(x));
      if (index < 0) return null;
      return `shift ${signed(tick(Math.round(x)))}\ns = ${typeset(exact(kernel(model)[index], model.data.header.dtype))}`;
    },
    note: (model) => `mean ${signed(brief(expectedShift(kernel(model), model.data.header.shifts)))}`,
  };
}

/** @param {Model} model */
function kernel({data, step, head}) {
  return data.at('shift_weighting', step, head);
}

/**
 * @param {Model} model
 * @returns {[number, number]}
 */
function shiftRange({data}) {
  const {shifts} = data.header;
  return [shifts[0] - 0.5, shifts[shifts.length - 1] + 0.5];
}

/** @param {Model} model */
function shiftTicks({data}) {
  const {shifts} = data.header;
  const every = Math.ceil(shifts.length / 9);
  return shifts.filter((shift) => shift % every === 0);
}

/**
 * @param {Model} model
 * @param {Size} size
 */
function area(model, size) {
  return areaOf({...size, margin: MARGIN}, shiftRange(model), [0, 1]);
}
