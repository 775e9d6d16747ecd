import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { fixturePath } from '../../../fixtures/index.js';
import { bandex } from '../../test/run.js';
import { Lab } from '../lab.js';
import { LAB_ID, labMode } from '../namespace.js';
import { labDirectory, readState } from '../state.js';
import { topology } from '../topology.js';

const MAIN = fileURLToPath(new URL('../../main.js', import.meta.url));
const PAIR = { nodes: [{ name: 'a' }, { name: 'b' }], links: [{ between: ['a', 'b'] }] };

/** Processes of a lab that are alive. */
function processesOf(id: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        return Number.isInteger(pid) && readFileSync(`/proc/${pid}/environ`).includes(`${LAB_ID}=${id}\0`);
      } catch {
        return false;
      }
    });
}

describe(`bandex lab (${labMode() ?? 'not allowed here'})`, function () {
  this.slow(5000);
  this.timeout(90_000);
  let directory = '';
  const children: ChildProcess[] = [];

  before(function () {
    if (labMode() === undefined) this.skip();
    directory = mkdtempSync(join(tmpdir(), 'bandex-lab-test-'));
  });
  after(() => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });

  const write = (name: string, value: unknown): string => {
    const file = join(directory, `${name}.yaml`);
    writeFileSync(file, JSON.stringify(value));
    return file;
  };
  /** `lab up`, once it is. */
  async function up(file: string): Promise<ChildProcess> {
    const child = spawn(process.execPath, [MAIN, 'lab', 'up', file, '--json'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    await new Promise((resolve, reject) => {
      child.stdout.once('data', resolve);
      child.once('close', () => reject(new Error('`lab up` ended')));
    });
    return child;
  }
  const ended = (child: ChildProcess): Promise<number | null> =>
    new Promise((resolve) => child.once('close', resolve));

  it('runs the example: a sender reaches a receiver over two routers, IPv4 and IPv6, and a bottleneck loses', () => {
    const { code, lines } = bandex(['lab', 'run', fixturePath('lab/line.yaml'), '--json']);
    const results = lines.map((line) => JSON.parse(line) as { step: string; ok: boolean });
    assert.deepEqual(
      results.filter(({ ok }) => !ok),
      [],
    );
    assert.equal(results.length, 5);
    assert.equal(code, 0);
    assert.equal(existsSync(labDirectory('line')), false);
  });

  it('ends with 2 where a step is not as expected, and tells what was', () => {
    const file = write('wrong', {
      ...PAIR,
      steps: [
        { on: 'a', run: 'echo one; exit 3', expect: { exit: 3, output: '^one$' } },
        { on: 'a', run: 'echo two', expect: { output: 'three' } },
        { on: 'a', run: 'exit 1', name: 'a step with a name' },
        { on: 'a', run: 'sleep 30', timeout: '200ms' },
      ],
    });
    const { code, lines, err } = bandex(['lab', 'run', file]);
    assert.equal(code, 2, err);
    assert.match(lines[0] ?? '', /^ok {4}a: echo one; exit 3 /);
    assert.match(lines[1] ?? '', /^FAIL {2}a: echo two {2}expected \/three\/m on stdout/);
    assert.equal(lines[2], '      two');
    assert.match(lines[3] ?? '', /^FAIL {2}a: a step with a name {2}expected exit code 0, got 1/);
    assert.match(lines[4] ?? '', /^FAIL {2}a: sleep 30 {2}it takes too long/);
  });

  it('retries a step until it is as expected, and awaits those in the background', () => {
    const mark = join(directory, 'mark');
    const file = write('retry', {
      ...PAIR,
      steps: [
        { on: 'a', run: `sleep 0.6; touch ${mark}`, background: true },
        { on: 'b', run: `test -e ${mark}`, retry: true, timeout: '10s' },
      ],
    });
    const { code, lines } = bandex(['lab', 'run', file, '--json']);
    assert.equal(code, 0, lines.join('\n'));
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { on: string }).on),
      ['b', 'a'],
    );
  });

  it('runs a command on a node of a running lab with its exit code, and goes at SIGTERM with all in it', async () => {
    const file = write('kept', {
      ...PAIR,
      name: 'kept',
      nodes: [{ name: 'a', run: ['sleep 1000 & wait'] }, { name: 'b' }],
    });
    const child = await up(file);
    const { id = '' } = readState('kept') ?? {};
    assert.equal(bandex(['lab', 'exec', '--lab', 'kept', 'a', '--', 'sh', '-c', 'exit 7']).code, 7);
    const addresses = bandex([
      'lab',
      'exec',
      '--lab',
      'kept',
      'b',
      '--',
      'ip',
      '-brief',
      'address',
      'show',
      'eth0',
    ]);
    assert.match(addresses.out, /10\.1\.0\.2\/24 fd00::2\/64/);
    assert.match(
      bandex(['lab', 'inspect', 'kept']).out,
      /^a +host +\d+ +eth0 +b +10\.1\.0\.1\/24 fd00::1\/64$/m,
    );
    const shown = JSON.parse(bandex(['lab', 'inspect', 'kept', '--json']).out) as { state: string };
    assert.equal(shown.state, 'up');
    const second = bandex(['lab', 'up', file]);
    assert.equal(second.code, 1);
    assert.match(second.err, /a lab `kept` is running already/);
    assert.ok(processesOf(id).length >= 4);
    assert.equal(bandex(['lab', 'down', 'kept']).code, 0);
    await ended(child);
    assert.deepEqual(processesOf(id), []);
    assert.equal(existsSync(labDirectory('kept')), false);
  });

  it('is cleaned up by `lab down` after its process was killed, children of children too', async () => {
    const file = write('killed', {
      ...PAIR,
      name: 'killed',
      nodes: [{ name: 'a', run: ['setsid sleep 1000 & wait'] }, { name: 'b' }],
    });
    const child = await up(file);
    const { id = '' } = readState('killed') ?? {};
    await sleep(300);
    child.kill('SIGKILL');
    await ended(child);
    await sleep(200);
    // The namespaces' holders went with it, what went into the background did not.
    assert.equal(processesOf(id).length, 1);
    assert.match(bandex(['lab', 'inspect', 'killed']).out, /its process is dead/);
    const down = bandex(['lab', 'down', 'killed']);
    assert.match(down.err, /1 processes were left of it/);
    await sleep(50);
    assert.deepEqual(processesOf(id), []);
  });

  it('is cleaned up by the next `lab up` of its name', async () => {
    const file = write('again', { ...PAIR, name: 'again' });
    const child = await up(file);
    child.kill('SIGKILL');
    await ended(child);
    const next = await up(file);
    next.kill('SIGINT');
    assert.equal(await ended(next), 0);
    assert.equal(existsSync(labDirectory('again')), false);
  });

  it('is a library: nodes run commands, and are removed', async () => {
    const lab = await Lab.up(topology({ ...PAIR, name: 'library' }));
    try {
      assert.equal(lab.node('b').address(), '10.1.0.2');
      assert.equal(lab.node('b').address(6), 'fd00::2');
      const { code, out } = await lab.node('a').run(['cat'], { input: 'hello' });
      assert.deepEqual({ code, out }, { code: 0, out: 'hello' });
      const sleeping = lab
        .node('a')
        .spawn(['sh', '-c', 'trap "echo bye; exit 4" TERM; echo ready; while :; do sleep 0.05; done']);
      await sleeping.printed(/ready/);
      const { code: stopped, out: said } = await sleeping.stop();
      assert.deepEqual({ stopped, said }, { stopped: 4, said: 'ready\nbye\n' });
      assert.throws(() => lab.node('c'), /there is no node `c`/);
    } finally {
      await lab.down();
    }
    assert.deepEqual(processesOf(lab.id), []);
  });

  it('captures a link into the file that is named, relative to the topology', () => {
    const file = write('caught', {
      nodes: PAIR.nodes,
      links: [{ between: ['a', 'b'], capture: 'caught.pcap' }],
      steps: [{ flow: { from: 'a', to: 'b', rate: '100kbit/s', duration: '200ms', octets: 500 } }],
    });
    const { code, err } = bandex(['lab', 'run', file]);
    assert.equal(code, 0, err);
    const capture = readFileSync(join(directory, 'caught.pcap'));
    // A pcap of this machine's byte order, and 5 packets of 514 octets at least.
    assert.equal(capture.readUInt32LE(0), 0xa1b2c3d4);
    assert.ok(capture.length > 24 + 5 * (16 + 514), String(capture.length));
  });

  it('says what a kernel lacks that a link needs', async function () {
    const rough = topology({ ...PAIR, name: 'rough', links: [{ between: ['a', 'b'], delay: '5ms' }] });
    try {
      await (await Lab.up(rough)).down();
    } catch (error) {
      assert.match(
        (error as Error).message,
        /^link a:b: tc qdisc add .* netem delay 5ms .*has the kernel sch_netem\?/,
      );
      assert.equal(existsSync(labDirectory('rough')), false);
      return;
    }
    this.skip();
  });
});
