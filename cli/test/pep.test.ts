import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { R_TYPE } from '../../cops/index.js';
import type { Decision, PdpRequest } from '../../cops/index.js';
import { fixturePath } from '../../fixtures/index.js';
import { bandex } from './run.js';
import { RecordingPdp, runBandex } from './serving.js';

const { incoming, allocation, outgoing } = R_TYPE;
const ABOUT = ['--session', '192.0.2.7/udp/5004', '--sender', '198.51.100.9/5004'];

describe('bandex pep', () => {
  let pdp: RecordingPdp;
  afterEach(() => pdp.close());

  async function pep(decide: (request: PdpRequest) => Decision, args: readonly string[], input = '') {
    pdp = await new RecordingPdp(decide).listen();
    return runBandex(['pep', '--pdp', `127.0.0.1:${pdp.port}`, ...args], input);
  }

  it('asks about one reservation as a router would, deletes the request, and ends with 0 where it is installed', async () => {
    const { code, out } = await pep(() => ({ command: 'install' }), [...ABOUT, '--in', '192.0.2.7=3']);
    assert.equal(code, 0);
    assert.match(out, /^install +Resv 192\.0\.2\.7\/UDP\/5004 FF 198\.51\.100\.9\/5004 +installed/);
    const [request, end] = pdp.seen;
    assert.ok(request?.kind === 'REQ' && end?.kind === 'DRQ');
    assert.deepEqual(
      [request.rType, request.mType, request.in],
      [incoming | allocation | outgoing, 2, '192.0.2.7=3'],
    );
    assert.equal(request.classes, 'SESSION RSVP_HOP TIME_VALUES STYLE FLOWSPEC FILTER_SPEC');
  });

  it('ends with 2 where it is refused, with 1 where there is no decision', async () => {
    assert.equal((await pep(() => ({ command: 'remove' }), ABOUT)).code, 2);
    await pdp.close();
    const { code, out } = await pep(() => ({ errorCode: 4 }), ABOUT);
    assert.equal(code, 1);
    assert.match(out, /COPS error 4 \(Unable to process\)/);
  });

  it('asks for messages in hex and JSON from a file, a line each', async () => {
    const hex = bandex(['request', ...ABOUT, '--as', 'hex']).out;
    const json = bandex(['request', ...ABOUT, '--message', 'path', '--as', 'json']).out;
    const { code, lines } = await pep(
      () => ({ command: 'install' }),
      ['--file', '-', '--json'],
      `# two\n${hex}\n${json}`,
    );
    assert.equal(code, 0);
    assert.deepEqual(
      pdp.seen.flatMap((seen) => (seen.kind === 'REQ' ? [seen.mType] : [])),
      [2, 1],
    );
    const { summary } = JSON.parse(lines.at(-1) ?? '') as {
      summary: { decisions: unknown; milliseconds: object };
    };
    assert.deepEqual(summary.decisions, [{ decision: 'install', reason: 'installed', count: 2 }]);
    assert.deepEqual(Object.keys(summary.milliseconds), ['p50', 'p90', 'p99', 'max']);
  });

  it('says in which line a message is malformed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bandex-'));
    try {
      const file = join(folder, 'messages');
      writeFileSync(file, '\nnot hex\n');
      const { code, err } = await pep(() => ({ command: 'install' }), ['--file', file]);
      assert.equal(code, 3);
      assert.ok(err.startsWith(`bandex: ${file}:2: `), err);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('asks many times over several connections, no faster than it may', async () => {
    const started = performance.now();
    const { code, out, err } = await pep(
      () => ({ command: 'install' }),
      [...ABOUT, '--count', '150', '--rate', '300', '--parallel', '4', '--connections', '3'],
    );
    assert.equal(code, 0, err);
    assert.ok(performance.now() - started > 490);
    assert.match(out, /^ +150 +install +installed\n$/);
    assert.match(err, /^150 decisions in .*\/s; latency p50 .* p90 .* p99 .* max /);
    assert.equal(new Set(pdp.requests.map(({ pepId }) => pepId)).size, 3);
    assert.equal(pdp.seen.filter(({ kind }) => kind === 'DRQ').length, 150);
  });

  it('asks for the messages of a capture', async () => {
    await pep(() => ({ command: 'install' }), ['--capture', fixturePath('captures/kom-ff-2node.pcap')]);
    const types = pdp.seen.flatMap((seen) => (seen.kind === 'REQ' ? [seen.mType] : []));
    assert.deepEqual(types, [1, 2, 1, 1]);
  });
});
