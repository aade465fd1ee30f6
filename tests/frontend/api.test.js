import assert from 'node:assert/strict';
import {test} from 'node:test';

import {createApi, isTrace, listsOf, uploadName} from '../../frontend/src/api.js';
import {ApiError, failureOf} from '../../frontend/src/request.js';
import {exampleBlocks, exampleHeader, exampleStream, inChunks, jsonFrame} from './wire_helper.js';

const asked = {checkpoint: 'copy-lstm', task: null, seed: 3, initial_seed: 0, inputs: null, mode: 'full', interventions: [], leave_constraints: false};
const {signal} = new AbortController();

/** A server that answers once, and remembers what it was asked. */
function server(answer) {
  const calls = [];
  const api = createApi(async (path, init) => {
    calls.push({path, ...init});
    return answer();
  });
  return {api, calls};
}

test('a trace is asked for as the contract says, and read as it arrives', async () => {
  const header = exampleHeader();
  const {api, calls} = server(() => new Response(inChunks(exampleStream(header, exampleBlocks(header)))));
  const received = [];
  const reader = await api.streamTrace(asked, ({data}) => received.push(data?.received), signal);
  assert.equal(reader.end.wrong_bits, 3);
  assert.equal(received.at(-1), 40);
  assert.equal(calls[0].path, '/api/traces?format=stream');
  assert.equal(calls[0].method, 'POST');
  assert.deepEqual(JSON.parse(calls[0].body), {checkpoint: 'copy-lstm', task: null, seed: 3, initial_seed: 0, inputs: null});
});

test('only changes that a person made are asked for', async () => {
  const header = exampleHeader();
  const {api, calls} = server(() => new Response(inChunks(exampleStream(header, exampleBlocks(header)))));
  const interventions = [{quantity: 'interpolation_gate', operation: 'set', value: 0.5}];
  await api.streamTrace({...asked, mode: 'no_read', interventions, leave_constraints: true}, () => {}, signal);
  const {mode, interventions: sent, leave_constraints} = JSON.parse(calls[0].body);
  assert.deepEqual([mode, sent, leave_constraints], ['no_read', interventions, true]);
});

test('the lists that come with the page are what their own addresses give', () => {
  const uploaded = {id: 'trace-1', name: 'mine', bytes: 9, header: {config: {}, task: null, warnings: []}};
  const {checkpoints, tasks, modes} = listsOf({
    checkpoints: {checkpoints: [{id: 'one'}]}, uploaded_traces: {traces: [uploaded]}, tasks: {tasks: [{name: 'copy'}]}, addressing_modes: {modes: [{name: 'full'}]},
  });
  assert.deepEqual(checkpoints.map(({id, source}) => [id, source]), [['one', undefined], ['trace-1', 'recorded']]);
  assert.deepEqual([tasks, modes], [[{name: 'copy'}], [{name: 'full'}]]);
});

test("a refusal keeps the server's words, field and status", async () => {
  const error = {code: 'bad_task', message: 'lengths is [0, 5]: must be at least 1', field: 'task.lengths'};
  const {api} = server(() => Response.json({error}, {status: 422}));
  await assert.rejects(api.streamTrace(asked, () => {}, signal), {...error, status: 422, offline: false});
});

test('a busy server says how long to wait', async () => {
  const error = {code: 'busy', message: 'busy', field: null};
  const {api} = server(() => Response.json({error}, {status: 503, headers: {'Retry-After': '2'}}));
  await assert.rejects(api.streamTrace(asked, () => {}, signal), {status: 503, retryAfter: 2});
});

test('an answer that is not ours is named by its status', () => {
  const error = failureOf(502, '<html>Bad gateway</html>', 'Wed, 21 Oct 2026 07:28:00 GMT');
  assert.deepEqual([error.code, error.message, error.retryAfter], ['http_error', 'The server answered with status 502.', null]);
});

test('a server that is gone is told apart from one that refuses', async () => {
  const api = createApi(() => Promise.reject(new TypeError('Failed to fetch')));
  await assert.rejects(api.checkpoints(signal), (error) => error instanceof ApiError && error.offline && /does not answer/.test(error.message));
});

test('a server that goes in the middle of a stream is gone', async () => {
  const stream = new ReadableStream({
    pull(controller) {
      controller.enqueue(jsonFrame(1, exampleHeader()));
      controller.error(new TypeError('network error'));
    },
  });
  const {api} = server(() => new Response(stream));
  await assert.rejects(api.streamTrace(asked, () => {}, signal), {offline: true, code: 'server_gone'});
});

test('a failure that the server meets while it streams is told in its words', async () => {
  const {api} = server(() => new Response(jsonFrame(6, {code: 'not_finite', message: 'NaN at step 7'})));
  await assert.rejects(api.streamTrace(asked, () => {}, signal), {code: 'not_finite', message: 'NaN at step 7', status: 200});
});

test('an aborted request is no failure of the server', async () => {
  const abort = new AbortController();
  const api = createApi((_, {signal: mine}) => new Promise((_resolve, reject) => {
    mine.addEventListener('abort', () => reject(mine.reason));
  }));
  const answer = api.checkpoints(abort.signal);
  abort.abort();
  await assert.rejects(answer, {name: 'AbortError'});
});

test('ids are encoded into paths', async () => {
  const {api, calls} = server(() => Response.json({}));
  await api.detail('a/../b', signal);
  assert.equal(calls[0].path, '/api/checkpoints/a%2F..%2Fb');
});

test('an archive of arrays is a trace if it has a header, else the arrays of a model', async () => {
  const archive = (name) => new File([`PK… ${name}.npy PK…`], 'mine.NPZ');
  const files = [archive('header'), archive('arr_0'), new File(['header.npy'], 'a.pt')];
  assert.deepEqual(await Promise.all(files.map(isTrace)), [true, false, false]);
});

test('a recording is asked for at its own address', async () => {
  const {api, calls} = server(() => Response.json({traces: [{id: 'trace-1', name: 'mine', bytes: 9, header: {config: {}, task: null, warnings: []}}]}));
  const [found] = await api.recordings(signal);
  assert.deepEqual([found.id, found.source, found.task], ['trace-1', 'recorded', null]);
  await api.downloadTrace({...asked, checkpoint: 'trace-1'}, 'npz', signal);
  await api.remove('trace-1', signal);
  assert.deepEqual(calls.map(({path}) => path), ['/api/uploaded-traces', '/api/uploaded-traces/trace-1?format=npz', '/api/uploaded-traces/trace-1']);
});

test('an upload is called after its file, within what the server takes', () => {
  assert.equal(uploadName('my copy.safetensors'), 'my copy');
  assert.equal(uploadName('copy_v1.5.pth'), 'copy_v1.5');
  assert.equal(uploadName('.SAFETENSORS'), 'upload');
  assert.equal(uploadName(`a\n\u0007${'b'.repeat(200)}`), `a${'b'.repeat(79)}`);
});
