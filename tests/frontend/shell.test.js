import assert from 'node:assert/strict';
import {test} from 'node:test';

import {isNewPlace, titleOf} from '../../frontend/src/history.js';
import {traceFileName} from '../../frontend/src/shell/export.js';
import {blank, numericChannels, rowsAfterRefusal, rowsOf, rowsOnScreen, withCell, withoutStep, withStep, withSteps} from '../../frontend/src/shell/input_rows.js';
import {askedBits, bitsText, resultParts, stageMessage} from '../../frontend/src/shell/status.js';
import {phaseLook, segmentsOf, wrongSteps} from '../../frontend/src/shell/phases.js';
import {bytesText} from '../../frontend/src/shell/upload.js';
import {verdictOn} from '../../frontend/src/views/episode_plots.js';
import {EMPTY_TRACE, initialState} from '../../frontend/src/state.js';
import {TraceData} from '../../frontend/src/trace_data.js';
import {exampleHeader} from './wire_helper.js';

/** A trace of four steps; the last two are asked for two bits each, and one of these is wrong. */
function judged() {
  const header = exampleHeader({steps: 4});
  const data = new TraceData(header);
  const inputs = [1, 0, 0, 0, 0.5, 0, 0, 0, 1, 0, 0, 0];
  data.setEpisode(Float32Array.from([...inputs, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 2]));
  const outputs = [[0.9, 0.9], [0.9, 0.9], [0.8, 0.2], [0.3, 0.4]];
  for (const output of outputs) {
    const record = new Float32Array(data.sizes.step);
    record.set(output);
    data.appendSteps(record);
  }
  return data;
}

test('phases in a row are segments', () => {
  const names = ['item', 'delimiter', 'output'];
  assert.deepEqual(segmentsOf([0, 0, 1, 0, 2, 2], names), [
    {name: 'item', start: 0, length: 2}, {name: 'delimiter', start: 2, length: 1}, {name: 'item', start: 3, length: 1}, {name: 'output', start: 4, length: 2},
  ]);
  assert.deepEqual(segmentsOf([], names), []);
  assert.deepEqual(['input', 'item delimiter', 'query', 'output', 'end'].map(phaseLook), ['given', 'mark', 'given', 'answer', 'mark']);
});

test('wrong bits count only where an output is asked', () => {
  const data = judged();
  assert.deepEqual(wrongSteps(data), [3]);
  assert.equal(askedBits(data), 4);
  data.at('outputs', 3).fill(NaN);
  assert.deepEqual(wrongSteps(data), [], 'what is no number is not judged');
  const unknown = judged();
  unknown.episode('targets').fill(NaN);
  assert.deepEqual(wrongSteps(unknown), [], 'nor is what has no target');
  assert.deepEqual(verdictOn(unknown), {asked: 0, wrong: [], seen: 4});
});

test('the result line', () => {
  const data = judged();
  const trace = {...EMPTY_TRACE, data, received: 4};
  const texts = (changes) => resultParts({...initialState(), trace: {...trace, ...changes}}, 1000).map(({text, tone}) => `${tone}: ${text}`);
  assert.deepEqual(texts({status: 'ready', end: {wrong_bits: 0, loss_bits: 0.00012, seconds: 0.043}}), [
    'ok: 0 / 4 wrong bits', 'plain: loss 1.2 × 10⁻⁴ bits', 'plain: 4 steps recorded in 43 ms',
  ]);
  assert.equal(texts({status: 'ready', end: {wrong_bits: 1, loss_bits: 3, seconds: 0.1}})[0], 'error: 1 / 4 wrong bits');
  assert.equal(texts({status: 'ready', end: {wrong_bits: 1, loss_bits: 3, seconds: 0}}).at(-1), 'plain: 4 steps recorded before');
  const unjudged = {status: 'ready', end: {wrong_bits: null, loss_bits: null, seconds: 0}};
  assert.equal(texts(unjudged)[0], 'plain: outputs and targets that are no numbers are not judged');
  data.episode('mask').fill(0);
  assert.equal(texts(unjudged)[0], 'plain: no targets: outputs are not judged');
  assert.deepEqual(texts({status: 'streaming', received: 2}), ['plain: recording, 2 of 4 steps']);
  const seeking = {...initialState(), sought: 3, trace: {...trace, status: 'streaming', received: 2}};
  assert.deepEqual(resultParts(seeking, 0).map(({text}) => text), ['recording, 2 of 4 steps, t = 4 on its way']);
  assert.match(texts({status: 'pending', retry_at: 3500})[0], /next try in 3 s/);
  assert.deepEqual(resultParts(initialState(), 0), []);
});

test('small and large numbers of bits', () => {
  assert.deepEqual([0, 0.00000316, 0.0312, 1.5, 123.456].map(bitsText), ['0', '3.2 × 10⁻⁶', '0.031', '1.500', '123.5']);
});

test('what stands in place of the views', () => {
  const state = initialState();
  const ready = {...state, checkpoints: [{id: 'a', name: 'Copy'}], request: {checkpoint: 'a'}};
  const failure = {code: 'x', message: 'words of the server'};
  assert.equal(stageMessage({...ready, checkpoints: []}, 0).kind, 'empty');
  assert.equal(stageMessage({...ready, trace: {...EMPTY_TRACE, status: 'pending'}}, 0).title, 'Running Copy…');
  assert.match(stageMessage({...ready, trace: {...EMPTY_TRACE, status: 'pending', retry_at: 2000}}, 0).text, /next try in 2 s/);
  assert.deepEqual(stageMessage({...ready, trace: {...EMPTY_TRACE, status: 'failed', error: failure}}, 0), {
    kind: 'failed', title: 'There is no trace to show', text: failure.message,
  });
  assert.equal(stageMessage({...ready, trace: {...EMPTY_TRACE, status: 'streaming', data: judged(), received: 4}}, 0), null);
});

test('editing rows leaves the rows before as they were', () => {
  const rows = rowsOf(judged());
  assert.deepEqual(rows, [[1, 0, 0], [0, 0.5, 0], [0, 0, 1], [0, 0, 0]]);
  assert.deepEqual(withCell(rows, 0, 2, 1)[0], [1, 0, 1]);
  assert.deepEqual(withStep(rows, 1).map((row) => row.join('')), ['100', '00.50', '000', '001', '000']);
  assert.deepEqual(withoutStep(rows, 3).length, 3);
  assert.deepEqual(withoutStep([[1]], 0), [[1]]);
  assert.deepEqual(blank(rows), Array(4).fill([0, 0, 0]));
  assert.deepEqual(rows[0], [1, 0, 0]);
});

test('the rows of the run on screen are those that were typed, or those of the episode', () => {
  const data = judged();
  const state = {request: {inputs: null}, trace: {...EMPTY_TRACE, data}};
  assert.deepEqual(rowsOnScreen(state), rowsOf(data));
  assert.deepEqual(rowsOnScreen({...state, request: {inputs: [[1, 0, 0]]}}), [[1, 0, 0]]);
  assert.equal(rowsOnScreen({...state, trace: EMPTY_TRACE}), null);
});

test('rows that the server refused give way to those of the run that stays', () => {
  const typed = [[1, 0, 0], [0, 0, 0]];
  const shown = {request: {inputs: typed}, trace: {...EMPTY_TRACE, data: judged(), refused: null}};
  const asking = {...shown, request: {inputs: withoutStep(typed, 1)}};
  const refused = {...shown, trace: {...shown.trace, refused: {error: {}}}};
  assert.equal(rowsAfterRefusal(asking, shown, [[1, 0, 0]]), null);
  assert.deepEqual(rowsAfterRefusal(refused, asking, [[1, 0, 0]]), typed);
  const again = {...refused, trace: {...refused.trace, refused: {error: {}}}};
  assert.deepEqual(rowsAfterRefusal(again, refused, [[1, 0, 0]]), typed, 'a second refusal, told with the first still known');
  assert.equal(rowsAfterRefusal({...refused, trace: {...refused.trace}}, refused, [[1, 0, 0]]), null, 'told of already');
  assert.equal(rowsAfterRefusal(refused, shown, structuredClone(typed)), null, 'what was refused had these rows too');
});

test('channels that take any number', () => {
  const channels = ['bit 0', 'bit 1', 'item delimiter', 'priority'];
  assert.deepEqual(numericChannels([[0, 1, 0, 0]], channels), [false, false, false, true]);
  assert.deepEqual(numericChannels([[0, 0.5, 0, 0]], channels), [false, true, false, true]);
});

test('which changes of the request are places to come back to', () => {
  const request = {checkpoint: 'a', task: null, seed: 0, inputs: null};
  const typed = {...request, inputs: [[1]]};
  assert.ok(isNewPlace(request, {...request, seed: 1}));
  assert.ok(isNewPlace(request, typed));
  assert.ok(!isNewPlace(typed, {...typed, inputs: [[0]]}));
  assert.ok(!isNewPlace(null, request));
});

test('the title of the page', () => {
  const state = {...initialState(), checkpoints: [{id: 'upload-1', name: 'Mine'}]};
  const request = {checkpoint: 'upload-1', task: {name: 'repeat_copy'}, seed: 3, inputs: null};
  assert.equal(titleOf(state), 'NTM Scope');
  assert.equal(titleOf({...state, request}), 'Mine · repeat copy · seed 3 · NTM Scope');
  assert.equal(titleOf({...state, request: {...request, task: null, inputs: [[1]]}}), 'Mine · typed input · NTM Scope');
});

test('file names and sizes', () => {
  assert.equal(traceFileName({checkpoint: 'copy-lstm', task: {name: 'copy'}, seed: 3, inputs: null}, 'npz'), 'copy-lstm-copy-seed-3.npz');
  assert.equal(traceFileName({checkpoint: 'upload-1', task: null, seed: 0, inputs: [[1]]}, 'json'), 'upload-1-episode-typed.json');
  assert.deepEqual([999, 12_345, 2_500_000].map(bytesText), ['999 B', '12.3 kB', '2.5 MB']);
});

test("the server's rows are told as steps", () => {
  assert.equal(withSteps("row 4, channel 'bit 0' is 2, since row 12 is blank; 41 rows"), "row 4 (t = 5), channel 'bit 0' is 2, since row 12 (t = 13) is blank; 41 rows");
});
