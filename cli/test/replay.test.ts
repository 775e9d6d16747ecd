import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { R_TYPE, TRIGGER_ERROR } from '../../cops/index.js';
import type { Decision, PdpRequest } from '../../cops/index.js';
import { fixturePath } from '../../fixtures/index.js';
import { ErrorSpecIpv4, Writer, RSVP } from '../../rsvp/wire/index.js';
import { Expectations, expectationsText, readExpectations } from '../replay/expect.js';
import type { Decided } from '../replay/expect.js';
import { FIRST_UPSTREAM } from '../replay/interfaces.js';
import { hostPort } from '../replay/connect.js';
import { RecordingPdp, runBandex } from './serving.js';
import type { Seen } from './serving.js';

const { incoming, allocation, outgoing } = R_TYPE;
const INSTALL: Decision = { command: 'install' };

describe('bandex replay', () => {
  let pdp: RecordingPdp;
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bandex-'));
  });
  afterEach(async () => {
    await pdp.close();
    rmSync(folder, { recursive: true });
  });

  /** Plays a capture to a PDP that decides so. */
  async function replay(name: string, decide: (request: PdpRequest) => Decision, ...options: string[]) {
    pdp = await new RecordingPdp(decide).listen();
    return runBandex([
      'replay',
      fixturePath(`captures/${name}`),
      '--pdp',
      `127.0.0.1:${pdp.port}`,
      ...options,
    ]);
  }

  it('plays an FF capture: in&out, in&allocation&out, a commit, and deletes on the tear (RFC 2749 5.1)', async () => {
    const { code, lines } = await replay('kom-ff-2node.pcap', () => INSTALL);
    assert.equal(code, 0);
    assert.equal(lines.length, 2, 'a decision a line');
    const path = 'SESSION RSVP_HOP TIME_VALUES SENDER_TEMPLATE SENDER_TSPEC ADSPEC';
    const resv = 'MESSAGE_ID SESSION RSVP_HOP TIME_VALUES RESV_CONFIRM STYLE FLOWSPEC FILTER_SPEC';
    const [sender, receiver] = [`10.9.0.1=${FIRST_UPSTREAM}`, '10.9.0.2=1'];
    assert.deepEqual(pdp.seen, [
      {
        kind: 'REQ',
        handle: '00000001',
        rType: incoming | outgoing,
        mType: 1,
        in: sender,
        out: receiver,
        classes: path,
      },
      {
        kind: 'REQ',
        handle: '00000002',
        rType: incoming | allocation | outgoing,
        mType: 2,
        in: receiver,
        out: sender,
        classes: resv,
      },
      { kind: 'RPT', handle: '00000002', type: 'success', solicited: true },
      { kind: 'DRQ', handle: '00000001', reasonCode: 4 },
      { kind: 'DRQ', handle: '00000002', reasonCode: 4 },
    ] satisfies Seen[]);
  });

  it('plays a WF capture: allocation first, then the outgoing Resv; all ends with tears', async () => {
    const { code } = await replay('kom-wf-chain-r1.pcap', () => INSTALL);
    assert.equal(code, 0);
    const told = pdp.seen.map((seen) =>
      seen.kind === 'REQ' ? `REQ ${seen.handle} ${seen.mType} ${seen.rType}` : `${seen.kind} ${seen.handle}`,
    );
    assert.deepEqual(told, [
      `REQ 00000001 1 ${incoming | outgoing}`,
      `REQ 00000002 1 ${incoming | outgoing}`,
      `REQ 00000003 2 ${incoming | allocation}`,
      'RPT 00000003',
      `REQ 00000004 2 ${outgoing}`,
      'DRQ 00000003',
      'DRQ 00000004',
      'DRQ 00000001',
      'DRQ 00000002',
    ]);
  });

  it('sends refreshes that change nothing only with --refreshes', async () => {
    await replay('kom-ff-2node.pcap', () => INSTALL, '--refreshes');
    const paths = pdp.seen.filter((seen) => seen.kind === 'REQ' && seen.mType === 1);
    // Frames 1, 5 and 7 are Path messages.
    assert.equal(paths.length, 3);
  });

  it('neither reports nor forwards what is refused', async () => {
    const refuse = ({ mType }: PdpRequest): Decision => ({ command: mType === 2 ? 'remove' : 'install' });
    const { code, lines } = await replay('kom-wf-chain-r1.pcap', refuse, '--json');
    assert.equal(code, 0, 'a refusal is an answer');
    assert.equal(pdp.seen.filter(({ kind }) => kind === 'RPT').length, 0);
    const decisions = lines.map((line) => (JSON.parse(line) as Decided).decision);
    assert.deepEqual(decisions, ['install', 'install', 'remove']);
  });

  it('asks what to put into a ResvErr where the refusal does not say, and shows it (RFC 2749 3.7)', async () => {
    const spec = ErrorSpecIpv4.make({ errorNodeAddress: '10.9.0.1', flags: 0, errorCode: 2, errorValue: 4 });
    const writer = new Writer();
    RSVP.objects.writeAll(writer, [spec]);
    const decide = ({ mType }: PdpRequest): Decision => {
      if (mType === 2) return { command: 'remove', flags: TRIGGER_ERROR };
      return mType === 4 ? { command: 'install', replacement: writer.finish() } : INSTALL;
    };
    const { lines } = await replay('kom-ff-2node.pcap', decide, '--json');
    const { reason } = JSON.parse(lines[1] ?? '') as Decided;
    assert.equal(
      reason,
      'error code 2 (Policy Control failure), value 4 (ERR_EXCEED: quota or accounting violation)',
    );
    const question = pdp.seen.findIndex((seen) => seen.kind === 'REQ' && seen.mType === 4);
    const [asked, deleted] = pdp.seen.slice(question, question + 2);
    assert.ok(asked?.kind === 'REQ' && deleted?.kind === 'DRQ' && deleted.handle === asked.handle);
    assert.equal(asked.rType, outgoing);
    assert.equal(asked.classes, 'SESSION RSVP_HOP ERROR_SPEC STYLE FLOWSPEC FILTER_SPEC');
    // Transient handle (RFC 2748 2.2.5).
    assert.equal(deleted.reasonCode, 11);
  });

  it('shows a COPS error as one', async () => {
    const { lines } = await replay('kom-ff-2node.pcap', () => ({ errorCode: 5 }), '--json');
    const decided = lines.map((line) => JSON.parse(line) as Decided);
    assert.deepEqual(
      decided.map(({ decision, reason }) => [decision, reason]),
      Array(2).fill(['error', 'COPS error 5 (Mandatory client-specific info missing)']),
    );
  });

  it('records expectations, and meets them when it is played again', async () => {
    const file = join(folder, 'expect.yaml');
    await replay('kom-se-chain-r1.pcap', () => INSTALL, '--record', file);
    await pdp.close();
    const { code, err } = await replay('kom-se-chain-r1.pcap', () => INSTALL, '--expect', file);
    assert.equal(code, 0, err);
    assert.match(err, /all \d+ expectations are met/);
  });

  it('says which expectations are not met, with exit code 2', async () => {
    const file = join(folder, 'expect.yaml');
    writeFileSync(
      file,
      `- { frame: 1, message: Path, decision: remove, reason: too much }
- { frame: 2, message: Resv, decision: install, reason: 'other * reason' }
- { frame: 99, message: Resv, decision: install }
`,
    );
    const { code, out, err } = await replay('kom-ff-2node.pcap', () => INSTALL, '--expect', file);
    assert.equal(code, 2);
    assert.match(out, /mismatch: expected remove \(too much\), got install \(installed\)/);
    assert.match(out, /mismatch: expected the reason `other \* reason`, got `installed`/);
    assert.match(err, /frame 99: mismatch: never came: Resv install/);
    assert.match(err, /3 expectations are not met, 0 are/);
  });

  it('goes at the speed of the capture, times --speed', async () => {
    const started = performance.now();
    // 15.011 seconds.
    await replay('kom-ff-2node.pcap', () => INSTALL, '--speed', '20');
    assert.ok(performance.now() - started > 750);
  });

  it('fails with exit code 1 where there is no PDP, 64 where it is no address, 3 where expectations are malformed', async () => {
    pdp = await new RecordingPdp().listen();
    const capture = fixturePath('captures/kom-ff-2node.pcap');
    const { port } = pdp;
    await pdp.close();
    const file = join(folder, 'expect.yaml');
    writeFileSync(file, '- { frame: 1, message: Path, verdict: install }\n');
    const codes = await Promise.all(
      [
        ['--pdp', `127.0.0.1:${port}`, '--timeout', '2'],
        ['--pdp', '127.0.0.1:99999'],
        ['--pdp', `127.0.0.1:${port}`, '--expect', file],
      ].map(async (args) => (await runBandex(['replay', capture, ...args])).code),
    );
    assert.deepEqual(codes, [1, 64, 3]);
  });
});

describe('expectations', () => {
  const decided: Decided = {
    frame: 7,
    message: 'Resv',
    session: '2001:db8::1/UDP/5004',
    flow: 'FF 2001:db8::2/1',
    context: 'in+allocation+out',
    decision: 'remove',
    reason: 'a "quoted": reason, since 2007-11-20T20:00:00.123Z',
  };

  it('are YAML that reads back as it was, but for the time of day', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bandex-'));
    try {
      const file = join(folder, 'expect.yaml');
      writeFileSync(file, expectationsText([decided]));
      assert.deepEqual(readExpectations(file), [{ ...decided, reason: 'a "quoted": reason, since *' }]);
      assert.match(readFileSync(file, 'utf8'), /^# Decisions/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('compare what they say, and no more', () => {
    const expectations = new Expectations([{ frame: 7, message: 'Resv', decision: 'remove' }]);
    assert.equal(expectations.compare(decided), undefined);
    assert.match(expectations.compare(decided)?.problem ?? '', /^not expected: Resv/);
    assert.deepEqual(expectations.finish(), []);
  });
});

describe('the address of a PDP', () => {
  it('is a host, with a port or without', () => {
    assert.deepEqual(hostPort('pdp.example'), { host: 'pdp.example' });
    assert.deepEqual(hostPort('127.0.0.1:1'), { host: '127.0.0.1', port: 1 });
    assert.deepEqual(hostPort('[::1]:3288'), { host: '::1', port: 3288 });
    for (const text of ['', ':1', '::1', '[::1', 'a:b', 'a:70000'])
      assert.throws(() => hostPort(text), /--pdp/, text);
  });
});
