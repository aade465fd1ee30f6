import assert from 'node:assert/strict';
import {test} from 'node:test';

import {branchesFrom, branchParts} from '../../frontend/src/branches/link.js';
import {forked, hasRoom, inColumn, pruned, swapped, withRun} from '../../frontend/src/branches/moves.js';
import {
  asRead, editedBranch, freed, inheritedEdits, LONGEST_NAME, MOST_BRANCHES, nameFrom, NO_BRANCHES, pathTo, renamed, runOf, stillShown,
  withChild, withChildren, withOwn, withoutBranch, withRoot,
} from '../../frontend/src/branches/tree.js';
import {newColumn, requestOf} from '../../frontend/src/compare/columns.js';
import {EMPTY_TRACE, initialState} from '../../frontend/src/state.js';
import {fromHash, toHash} from '../../frontend/src/url_state.js';

const gate = (value, step = 11) => ({quantity: 'interpolation_gate', operation: 'set', heads: ['read 0'], steps: [step, step + 1], value});
const run = (more = {}) => ({checkpoint: 'one', mode: 'full', interventions: [], leave_constraints: false, ...more});
const request = {...run(), task: {name: 'copy', lengths: [5, 5]}, seed: 3, initial_seed: 0, inputs: null};
const summary = (id) => ({id, name: `Model ${id}`, source: 'shipped', config: {input_size: 9, output_size: 8}, task: {name: 'copy'}});
const known = (more = {}) => ({
  ...initialState(), request, step: 11, tasks: [], checkpoints: [summary('one'), summary('two')],
  modes: [{name: 'full', title: 'Full'}, {name: 'no_shift', title: 'No shift'}],
  trace: {...EMPTY_TRACE, status: 'ready', data: {}, received: 21, end: {wrong_bits: 0}}, ...more,
});

/** Root 1, its children 2 and 3, and 4 below 2. */
function family() {
  let {tree} = withRoot(NO_BRANCHES, run({mode: 'no_shift', interventions: [gate(0.1, 2)]}), 'root');
  ({tree} = withChild(tree, 1, 11, {interventions: [gate(0.2)]}));
  ({tree} = withChild(tree, 1, 5));
  ({tree} = withChild(tree, 2, 15, {interventions: [gate(0.4, 15)]}));
  return tree;
}

test('a branch is asked for with all edits from its root to itself, in this order', () => {
  assert.deepEqual(runOf(family(), 4), run({mode: 'no_shift', interventions: [gate(0.1, 2), gate(0.2), gate(0.4, 15)]}));
  assert.deepEqual(runOf(family(), 3), run({mode: 'no_shift', interventions: [gate(0.1, 2)]}));
  assert.equal(runOf(family(), 9), null);
  assert.equal(inheritedEdits({...family(), shown: 4}), 2);
  assert.equal(inheritedEdits(family()), 0);
});

test('a root of a moment of training says which', () => {
  const {tree} = withRun(known(), run({checkpoint: 'one.4000', mode: 'no_shift'}));
  assert.equal(tree.branches[0].name, 'Model one, iteration 4,000, no shift');
  const exact = known({checkpoints: [summary('one'), summary('one.4000')]});
  assert.equal(withRun(exact, run({checkpoint: 'one.4000'})).tree.branches[0].name, 'Model one.4000');
});

test('a tree is read parents first, each branch under its own', () => {
  assert.deepEqual(asRead(family()).map(({branch: {id}, depth}) => [id, depth]), [[1, 0], [2, 1], [4, 2], [3, 1]]);
  assert.deepEqual(pathTo(family(), 4).map(({id}) => id), [1, 2, 4]);
  assert.deepEqual(withChildren(family(), 2).map(({id}) => id), [2, 4]);
});

test('an edit belongs to the branch alone, and one before the fork makes the fork earlier', () => {
  const tree = editedBranch(family(), 2, gate(0.9));
  assert.deepEqual(runOf(tree, 2).interventions, [gate(0.1, 2), gate(0.9)]);
  assert.equal(pathTo(tree, 2).at(-1).step, 11);
  assert.equal(pathTo(editedBranch(tree, 2, gate(0, 4)), 2).at(-1).step, 4);
  const everywhere = {quantity: 'sharpening', operation: 'set', value: 1};
  assert.equal(pathTo(editedBranch(tree, 2, everywhere), 2).at(-1).step, 0);
  assert.deepEqual(runOf(editedBranch(tree, 2, gate(0.3, 2)), 2).interventions, [gate(0.1, 2), gate(0.9), gate(0.3, 2)], "the parent's edit stays");
  assert.deepEqual(runOf(withOwn(tree, 2, []), 4).interventions, [gate(0.1, 2), gate(0.4, 15)], 'children follow');
  assert.equal(pathTo(withOwn(tree, 2, []), 2).at(-1).step, 11);
});

test('leaving constraints is of one branch, and handed to those that are forked from it', () => {
  const free = freed(family(), 2, true);
  assert.deepEqual([1, 2, 4].map((id) => runOf(free, id).leave_constraints), [false, true, false]);
  const {tree, id} = withChild(free, 2, 3);
  assert.equal(runOf(tree, id).leave_constraints, true);
});

test('names are one short line, and no two are the same', () => {
  const {tree} = withRoot(family(), run(), 'root');
  assert.deepEqual(tree.branches.map(({name}) => name), ['root', 'Branch 1', 'Branch 2', 'Branch 3', 'root (2)']);
  assert.equal(nameFrom(' a\n\tb\u202E '), 'a b');
  assert.equal([...nameFrom('😀'.repeat(99))].length, LONGEST_NAME);
  assert.equal(pathTo(renamed(tree, 2, ' gate  off '), 2).at(-1).name, 'gate off');
  assert.equal(renamed(tree, 2, '  '), tree);
});

test('a branch goes with all below it, and what was shown there gives way to its parent', () => {
  assert.deepEqual(withoutBranch({...family(), shown: 4}, 2), {branches: family().branches.filter(({id}) => id === 1 || id === 3), shown: 1});
  assert.deepEqual(withoutBranch({...family(), shown: 3}, 2).shown, 3);
  assert.deepEqual(withoutBranch({...family(), shown: 3}, 1), NO_BRANCHES);
});

test('a request that is not its run any more leaves the tree', () => {
  const tree = {...family(), shown: 2};
  const same = {...request, ...runOf(tree, 2)};
  assert.equal(stillShown(tree, same), tree);
  assert.equal(stillShown(tree, {...same, seed: 9}), tree, 'another episode of the same branch');
  assert.equal(stillShown(tree, {...same, mode: 'full'}).shown, null);
  assert.equal(stillShown(tree, {...same, interventions: []}).shown, null);
  assert.equal(stillShown(tree, {...same, sources: {x: {}}}).shown, null);
});

test('a fork is the main trace, its parent a root in column B, and the run is the same', () => {
  const state = known({request: {...request, mode: 'no_shift'}, columns: [newColumn(run({checkpoint: 'two'}))]});
  const {tree, columns, compare} = forked(state);
  assert.deepEqual(tree.branches.map(({id, name, parent, step}) => [id, name, parent, step]), [[1, 'Model one, no shift', null, 0], [2, 'Branch 1', 1, 11]]);
  assert.equal(tree.shown, 2);
  assert.equal(stillShown(tree, state.request), tree);
  assert.deepEqual(columns.map(({choice}) => choice), [{branch: 1}, run({checkpoint: 'two'})]);
  assert.equal(columns[0].trace.data, state.trace.data, 'it stands there at once');
  assert.equal(compare.delta, 'B');
});

test('a fork of a branch is its child; three columns stay three', () => {
  const columns = ['two', 'two', 'two'].map((checkpoint) => newColumn(run({checkpoint})));
  const after = forked(known({request: {...request, ...runOf(family(), 2)}, tree: {...family(), shown: 2}, columns}));
  assert.deepEqual(pathTo(after.tree, after.tree.shown).map(({id}) => id), [1, 2, 5]);
  assert.deepEqual(after.columns.map(({choice}) => choice.branch), [2, undefined, undefined]);
  assert.equal(forked(known({tree: {...family(), shown: 2}, columns: after.columns})).columns, after.columns);
});

test('the same run is forked from one root', () => {
  const once = withRun(known(), run());
  assert.deepEqual(withRun(known({tree: once.tree}), run()), once);
  assert.equal(withRun(known({tree: once.tree}), run({mode: 'no_shift'})).id, 2);
});

test('there is an end to branches', () => {
  const many = (count) => ({branches: Array.from({length: count}, (_, at) => ({...family().branches[0], id: at + 1})), shown: 1});
  assert.equal(hasRoom(known({tree: many(MOST_BRANCHES - 1)})), true);
  assert.equal(hasRoom(known({tree: many(MOST_BRANCHES)})), false);
  assert.equal(hasRoom(known({tree: {...many(MOST_BRANCHES - 1), shown: null}})), false);
});

test('a column and the main trace change places', () => {
  const columns = [newColumn({branch: 4}), newColumn(run({checkpoint: 'two', mode: 'no_shift'}))];
  const state = known({tree: family(), columns});
  const first = swapped(state, columns[0].id);
  assert.equal(first.tree.shown, 4);
  assert.deepEqual(first.request, requestOf(state, {branch: 4}));
  assert.deepEqual(first.columns.map(({choice}) => choice), [run(), columns[1].choice]);
  const back = swapped({...state, ...first}, first.columns[0].id);
  assert.deepEqual(back.columns.map(({choice}) => choice), columns.map(({choice}) => choice));
  assert.deepEqual([back.request, back.tree.shown], [request, null]);
  assert.equal(swapped(state, -1), null);
});

test('who is later by hand stays so when the main trace changes places', () => {
  const columns = [{...newColumn(run({checkpoint: 'two'})), offset: 2}, {...newColumn(run()), offset: 5}];
  const after = swapped(known({columns}), columns[0].id);
  assert.deepEqual(after.columns.map(({offset}) => offset), [-2, 3]);
});

test('columns of a deleted branch go with it', () => {
  const columns = [newColumn({branch: 4}), newColumn({branch: 3}), newColumn(run())];
  assert.deepEqual(pruned(known({tree: family(), columns}), 2).columns, columns.slice(1));
});

test('a branch is shown in a column once', () => {
  const {columns} = inColumn(known({tree: family()}), 2);
  assert.deepEqual(columns.map(({choice}) => choice), [{branch: 2}]);
  assert.deepEqual(inColumn(known({tree: family(), columns}), 2), {});
  assert.deepEqual(inColumn(known({tree: family()}), 9), {});
});

test('the tree, what is shown and the columns survive the address, which says each edit once', () => {
  const source = {checkpoint: 'two', seed: 4, mode: 'no_shift', interventions: [gate(1)], leave_constraints: true};
  const take = {quantity: 'weighting', operation: 'take', source: 'clean', steps: [3, 4]};
  const grown = withChild(freed(family(), 4, true), 4, 3, {interventions: [take], sources: {clean: source}, name: "it's"}).tree;
  const tree = {...grown, shown: 5};
  const state = known({tree, request: {...request, ...runOf(tree, 5)}, columns: [newColumn({branch: 2})]});
  const hash = toHash(state);
  const {compare, problems} = fromHash(hash);
  assert.deepEqual(problems, []);
  assert.deepEqual(compare.tree, tree);
  assert.deepEqual(compare.columns, [{branch: 2}]);
  assert.ok(!hash.includes('edits=') && !hash.includes('&mode='), hash);
  assert.deepEqual(branchesFrom(JSON.parse(JSON.stringify(branchParts(tree)))), tree.branches);
});

test('what is taken from travels with the request, on the episode of the request or of its own seed', async () => {
  const {askedOf, withUsedSources} = await import('../../frontend/src/interventions.js');
  const take = {quantity: 'weighting', operation: 'take', source: 'clean'};
  const other = {checkpoint: 'two', seed: null, mode: 'no_shift', interventions: [], leave_constraints: false};
  const asked = {...request, inputs: [[1]], interventions: [take], sources: {clean: other, spare: other}};
  const {sources} = askedOf(withUsedSources(asked));
  assert.deepEqual(sources, {clean: {checkpoint: 'two', task: request.task, seed: 3, initial_seed: 0, inputs: [[1]], mode: 'no_shift'}});
  const drawn = askedOf({...asked, sources: {clean: {...other, seed: 8}}});
  assert.deepEqual([drawn.sources.clean.seed, drawn.sources.clean.inputs], [8, null]);
  assert.equal('sources' in withUsedSources({...asked, interventions: []}), false);
});

const root = {id: 1, name: 'a', checkpoint: 'one'};
const hostile = {
  'a parent that comes later': [{id: 1, name: 'a', parent: 2}, {id: 2, name: 'b', parent: 1}],
  'a branch that is its own parent': [{id: 1, name: 'a', parent: 1}],
  'two of one id': [root, {...root, name: 'b'}],
  'an id of 0': [{...root, id: 0}],
  'an id that is no number': [{...root, id: '1'}],
  'a root without a model': [{id: 1, name: 'a'}],
  'a model that is a path': [{...root, checkpoint: '../../etc/passwd'}],
  'a mode with a tag': [{...root, mode: '<b>'}],
  'no name': [{...root, name: ' \n'}],
  'a name without end': [{...root, name: 'x'.repeat(1000)}],
  'a step before the first': [root, {id: 2, name: 'b', parent: 1, t: 0}],
  'a step without end': [root, {id: 2, name: 'b', parent: 1, t: 1e12}],
  'edits that are none': [{...root, edits: [{quantity: 'weights', operation: 'set'}]}],
  'a source that takes': [{...root, sources: {x: {checkpoint: 'one', interventions: [{quantity: 'key', operation: 'take', source: 'x'}]}}}],
  'five sources': [{...root, sources: Object.fromEntries([1, 2, 3, 4, 5].map((n) => [`s${n}`, {checkpoint: 'one'}]))}],
  'a source with a seed of −1': [{...root, sources: {x: {checkpoint: 'one', seed: -1}}}],
  'too many': Array.from({length: MOST_BRANCHES + 1}, (_, at) => ({...root, id: at + 1})),
  'no list': {0: root},
  'a list of nothing': [null],
  'unconstrained by words': [{...root, unconstrained: 'yes'}],
};
for (const [what, value] of Object.entries(hostile)) {
  test(`a link with ${what} is told about and not used`, () => {
    assert.equal(branchesFrom(value), null);
    const {compare, problems} = fromHash(`#branches=${encodeURIComponent(JSON.stringify(value))}`);
    assert.deepEqual(compare.tree, NO_BRANCHES);
    assert.equal(problems.length, 1);
  });
}

test('a link that shows a branch which it does not have shows none', () => {
  const hash = `#branches=${encodeURIComponent(JSON.stringify([root]))}&branch=7&compare=${encodeURIComponent("[{'branch':8},{'branch':1}]")}`;
  const {compare, problems} = fromHash(hash);
  assert.deepEqual([compare.tree.shown, compare.columns], [null, [{branch: 1}]]);
  assert.equal(problems.length, 2);
  assert.equal(fromHash('#branch=x').problems.length, 1);
});
