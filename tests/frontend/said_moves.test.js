import assert from 'node:assert/strict';
import {test} from 'node:test';

import {moveWords} from '../../frontend/src/shell/said_moves.js';
import {initialState} from '../../frontend/src/state.js';
import {TraceData} from '../../frontend/src/trace_data.js';
import {exampleHeader} from './wire_helper.js';

const header = exampleHeader({steps: 4});
const data = new TraceData(header);
data.setEpisode(new Float32Array(data.sizes.episode));
const state = {...initialState(), trace: {...initialState().trace, status: 'ready', data, received: 4}, step: 1};
const phase = header.phases[0];
const words = (changes, before = {}, focused = '') => moveWords({...state, ...before}, {...state, ...changes}, focused);

test('nothing is said of what has not changed', () => {
  assert.equal(words({}), '');
  assert.equal(words({step: 0, sought: 1}), '', 'the cursor is still to stand there');
});

test('where the cursor stands', () => {
  assert.equal(words({step: 2}), `t = 3 of 4, ${phase}`);
  assert.equal(words({step: 2, sought: 3}), `t = 4 of 4, ${phase}, on its way`);
  assert.equal(words({step: 2}, {}, 'step'), '', 'its slider says it already');
});

test('where playing ends', () => {
  assert.equal(words({step: 2}, {playing: true}), `paused, t = 3 of 4, ${phase}`);
  assert.equal(words({step: 3}, {playing: true}, 'step'), `the end, t = 4 of 4, ${phase}`);
  assert.equal(words({}, {playing: true}), `paused, t = 2 of 4, ${phase}`);
});

test('pin, difference, head, loop and speed', () => {
  assert.equal(words({pinned: 1}), 'pinned t = 2');
  assert.equal(words({pinned: 0, diff: true}), 'pinned t = 1, difference on');
  assert.equal(words({}, {pinned: 0, diff: true}), 'unpinned, difference off');
  assert.equal(words({head: 1}), `head ${header.heads[1].name}`);
  assert.equal(words({loop: [1, 3]}), 'loop t = 2 to 4');
  assert.equal(words({}, {loop: [1, 3]}), 'no loop');
  assert.equal(words({speed: 4}), 'speed ×4');
  assert.equal(words({speed: 4}, {}, 'speed'), '');
});
