// Trace streams that are read in a thread of their own, and what comes back from there.

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {ApiError, unreachable} from '../../frontend/src/request.js';
import {decoded} from '../../frontend/src/streams/decoded.js';
import {errorFrom, plainFailure} from '../../frontend/src/streams/failures.js';
import {fetched} from '../../frontend/src/streams/fetched.js';
import {firstHere} from '../../frontend/src/streams/first_here.js';
import {threaded} from '../../frontend/src/streams/threaded.js';
import {TraceData} from '../../frontend/src/trace_data.js';
import {framesOf, jsonPayload, KIND, MEMORY, readTrace} from '../../frontend/src/wire.js';
import {WireError} from '../../frontend/src/wire_error.js';
import {exampleBlocks, exampleHeader, exampleStream, inChunks} from './wire_helper.js';

/** A worker whose thread is this test: what it is told is in `asked`. */
function fakeWorker() {
  const heard = {};
  return {
    asked: [],
    addEventListener(name, listener) { heard[name] = listener; },
    postMessage(message) { this.asked.push(message); },
    tell(data) { heard.message({data}); },
    fail(message) { heard.error({message}); },
    terminate() { this.ended = true; },
  };
}

/** All that a generator gives. */
async function all(generator) {
  const found = [];
  for await (const one of generator) found.push(one);
  return found;
}

/** All numbers of all step records. */
const recordsOf = (data) => Array.from({length: data.received}, (_, step) => (
  data.header.fields.step.map(({name}) => [...data.at(name, step)])));

const steps = (number) => ({kind: KIND.steps, payload: new Uint8Array([number, 0, 0, 0])});

test('frames come in their order, each stream its own, and the thread is told when nobody waits', async () => {
  const worker = fakeWorker();
  const frames = threaded(() => worker);
  const {signal} = new AbortController();
  const [one, other] = [frames('/one', {method: 'POST', signal}), frames('/other', {signal})];
  const firsts = [one.next(), other.next()];
  assert.deepEqual(worker.asked, [{id: 1, path: '/one', init: {method: 'POST'}}, {id: 2, path: '/other', init: {}}]);
  worker.tell({id: 2, frames: [steps(7)]});
  worker.tell({id: 1, frames: [steps(1)]});
  worker.tell({id: 1, frames: [steps(2), steps(3)]});
  worker.tell({id: 1, done: true});
  assert.deepEqual((await firsts[0]).value, [steps(1), steps(2), steps(3)], 'what waits comes at once');
  assert.deepEqual((await firsts[1]).value, [steps(7)]);
  assert.deepEqual(await all(one), []);
  await other.return();
  assert.deepEqual(worker.asked.slice(2), [{id: 1}, {id: 2}]);
});

test('a stream that is given up ends at once, and what comes later is nobody\'s', async () => {
  const worker = fakeWorker();
  const abort = new AbortController();
  const waiting = threaded(() => worker)('/one', {signal: abort.signal}).next();
  abort.abort(new Error('another was asked'));
  await assert.rejects(waiting, /another was asked/);
  assert.deepEqual(worker.asked.at(-1), {id: 1});
  worker.tell({id: 1, frames: [steps(1)]});
  await assert.rejects(threaded(() => worker)('/one', {signal: abort.signal}).next(), /another was asked/);
});

test('a thread that fails says so to all who wait, and to all who come later', async () => {
  const worker = fakeWorker();
  const frames = threaded(() => worker);
  const {signal} = new AbortController();
  const waiting = frames('/one', {signal}).next();
  worker.fail('out of memory');
  await assert.rejects(waiting, /The thread that reads traces has failed: out of memory/);
  await assert.rejects(frames('/two', {signal}).next(), /out of memory/);
});

test('a thread that could not be loaded says that the server does not answer, and whoever asks next begins another', async () => {
  const workers = [];
  const frames = threaded(() => workers[workers.push(fakeWorker()) - 1]);
  const {signal} = new AbortController();
  const waiting = frames('/one', {signal}).next();
  workers[0].fail(undefined);
  await assert.rejects(waiting, {offline: true});
  assert.equal(workers.length, 1);
  const next = all(frames('/two', {signal}));
  assert.deepEqual(workers[1].asked, [{id: 2, path: '/two', init: {}}]);
  workers[1].tell({id: 2, frames: [steps(1)], done: true});
  assert.deepEqual(await next, [[steps(1)]]);
});

test('a thread that has read a long trace gives way to a new one, as soon as nobody waits for it', async () => {
  const workers = [];
  const frames = threaded(() => workers[workers.push(fakeWorker()) - 1]);
  const {signal} = new AbortController();
  const many = {kind: KIND.steps, payload: new Uint8Array(5 << 20)};
  const [one, other] = [all(frames('/one', {signal})), all(frames('/other', {signal}))];
  workers[0].tell({id: 1, frames: [many, many], done: true});
  assert.equal((await one).flat().length, 2);
  assert.equal(workers.length, 1, 'another stream comes from it still');
  workers[0].tell({id: 2, frames: [steps(1)], done: true});
  await other;
  assert.deepEqual([workers.length, workers[0].ended], [2, true]);
  const next = all(frames('/next', {signal}));
  workers[1].tell({id: 3, frames: [many], done: true});
  await next;
  assert.equal(workers.length, 2, 'it has not read much yet');
});

/** Streams that give these batches, and note what was asked of them and whether they were left before their end. */
function fakeStreams(batches) {
  const noted = {asked: [], left: 0};
  const frames = async function* frames(path, init) {
    noted.asked.push([path, init]);
    let over = false;
    try {
      yield* batches;
      over = true;
    } finally {
      if (!over) noted.left++;
    }
  };
  return {noted, frames};
}

const headed = (steps) => [{kind: KIND.header, payload: jsonPayload(exampleHeader({steps}))}];

test('the page reads its first trace itself, the thread all others, for which it begins when there is time', async (t) => {
  t.mock.timers.enable({apis: ['setTimeout']});
  const batches = [headed(5), [steps(1)]];
  const [here, beside] = [fakeStreams(batches), fakeStreams([[steps(2)]])];
  let begun = 0;
  const frames = firstHere(here.frames, () => {
    begun++;
    return beside.frames;
  });
  assert.deepEqual(await all(frames('/one', {})), batches);
  assert.equal(begun, 0);
  t.mock.timers.tick(1000);
  assert.equal(begun, 1);
  assert.deepEqual(await all(frames('/two', {})), [[steps(2)]]);
  assert.deepEqual([here.noted.asked, beside.noted.asked], [[['/one', {}]], [['/two', {}]]]);
  assert.equal(begun, 1);
});

test('a second trace does not wait until there is time', async (t) => {
  t.mock.timers.enable({apis: ['setTimeout']});
  const [here, beside] = [fakeStreams([headed(5)]), fakeStreams([[steps(2)]])];
  const frames = firstHere(here.frames, () => beside.frames);
  const one = frames('/one', {});
  await one.next();
  assert.deepEqual(await all(frames('/two', {})), [[steps(2)]]);
  await one.return();
  assert.equal(here.noted.left, 1);
});

test('a first trace that is long is left to the thread, which reads it from its start', async (t) => {
  t.mock.timers.enable({apis: ['setTimeout']});
  const [here, beside] = [fakeStreams([headed(1e6), [steps(1)]]), fakeStreams([headed(1e6), [steps(2)]])];
  const frames = firstHere(here.frames, () => {
    assert.equal(here.noted.left, 1, 'the page is still reading');
    return beside.frames;
  });
  const init = {method: 'POST'};
  assert.deepEqual(await all(frames('/one', init)), [headed(1e6), [steps(2)]]);
  assert.deepEqual(beside.noted.asked, [['/one', init]]);
});

test('a first trace that fails says why', async (t) => {
  t.mock.timers.enable({apis: ['setTimeout']});
  const failing = async function* failing() { throw unreachable(); };
  await assert.rejects(firstHere(failing, () => failing)('/one', {}).next(), {offline: true});
});

test('failures are the same on both sides', async () => {
  const api = new ApiError({code: 'busy', message: 'later', field: 'task', status: 503, questions: null}, 2);
  for (const error of [api, unreachable(), new WireError('cut', 'stream_cut'), new Error('anything')]) {
    const back = errorFrom(structuredClone(plainFailure(error)));
    assert.equal(back.constructor, error.constructor);
    assert.deepEqual({...back, message: back.message}, {...error, message: error.message});
  }
  const worker = fakeWorker();
  const waiting = threaded(() => worker)('/one', {signal: new AbortController().signal}).next();
  worker.tell({id: 1, failed: plainFailure(api)});
  await assert.rejects(waiting, {status: 503, retryAfter: 2, message: 'later'});
});

test('a stream that is not coded is passed on as it is, without what it was read from', async () => {
  const header = exampleHeader();
  const bytes = exampleStream(header, exampleBlocks(header), {grouped: 7});
  const direct = await readTrace(framesOf(inChunks(bytes)), () => {});
  const through = await readTrace(decoded(framesOf(inChunks(bytes))), () => {});
  assert.deepEqual(through.data.header, header);
  assert.deepEqual(through.end, direct.end);
  assert.deepEqual(recordsOf(through.data), recordsOf(direct.data));
  const frames = (await all(decoded(framesOf(inChunks(bytes))))).flat();
  assert.equal(new Set(frames.map(({payload}) => payload.buffer)).size, frames.length);
});

test('a memory that comes behind a step is where jumps start', async () => {
  const header = exampleHeader({steps: 2000});
  const blocks = exampleBlocks(header);
  const frames = (await all(framesOf(inChunks(exampleStream(header, blocks))))).flat();
  const {data: direct} = await readTrace(framesOf(inChunks(exampleStream(header, blocks))), () => {});
  direct.memory(1999);
  const [[step, memory]] = direct.takeKeptMemories();
  const told = memory.slice().fill(7);
  const behind = {kind: MEMORY, step, payload: new Uint8Array(told.buffer)};
  const {data} = await readTrace((async function* batches() { yield frames.toSpliced(-1, 0, behind); })(), () => {});
  assert.deepEqual([...data.memory(step)], [...told]);
  assert.equal(data.memory(step).buffer, told.buffer, 'and it is not copied');
});

test('records are kept in the arrays in which they came, and can be given away', () => {
  const header = exampleHeader({steps: 12});
  const data = new TraceData(header);
  const frame = new Float32Array(5 * data.sizes.step).map((_, at) => at);
  data.appendSteps(frame);
  assert.equal(data.at('weighting', 4, 0).buffer, frame.buffer);
  const second = frame.slice(data.sizes.step, 2 * data.sizes.step);
  data.appendFilled(3, (record, index) => {
    assert.equal(data.received, 5 + index);
    record.set(second);
  });
  const [one, other, ...more] = data.takeRecords();
  assert.deepEqual([one, more], [frame, []]);
  structuredClone(other, {transfer: [other.buffer]});
  assert.deepEqual([...data.at('outputs', 7)], [...second.slice(0, 2)], 'the last one is still here');
  assert.throws(() => data.at('outputs', 6), /steps 7 to 7 are here/);
  assert.deepEqual(data.takeRecords(), []);
  data.appendSteps(second);
  assert.deepEqual(data.takeRecords(), [second]);
});

test('a server that cannot be reached, and one that breaks off, are told apart from a stream that is wrong', async () => {
  const {signal} = new AbortController();
  const read = (fetcher) => all(fetched(fetcher, '/api/traces', {signal}));
  await assert.rejects(read(async () => { throw new TypeError('failed to fetch'); }), {status: 0});
  const broken = new ReadableStream({pull() { throw new TypeError('network error'); }});
  await assert.rejects(read(async () => new Response(broken)), {status: 0, code: 'server_gone'});
  await assert.rejects(read(async () => new Response(new Uint8Array(9))), WireError);
  await assert.rejects(read(async () => new Response(null)), {code: 'bad_stream'});
});
