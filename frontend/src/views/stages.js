// The five weightings of the addressing pipeline of one head in one step.

/** @import {Model} from './model.js' */
/** @import {Values} from './scales.js' */

/** @typedef {'previous'|'content_weighting'|'gated_weighting'|'shifted_weighting'|'weighting'} StageName */

/** @type {readonly StageName[]} In the order of the equations. */
export const STAGES = Object.freeze(['previous', 'content_weighting', 'gated_weighting', 'shifted_weighting', 'weighting']);

/**
 * @param {Model} model
 * @param {StageName} stage
 * @param {number} [step]
 * @returns {Values} One value a location.
 */
export function stageValues({data, head, step: now}, stage, step = now) {
  return stage === 'previous' ? data.previousWeighting(step, head) : data.at(stage, step, head);
}

/**
 * What a stage is shown against: the pinned step's values, or else what the stage was made from.
 *
 * @param {Model} model
 * @param {StageName} stage
 * @returns {Values}
 */
export function ghostValues(model, stage) {
  if (model.reference !== null) return stageValues(model, stage, model.reference);
  const before = STAGES.indexOf(stage) - 1;
  return stageValues(model, stage === 'content_weighting' || before < 0 ? stage : STAGES[before]);
}
