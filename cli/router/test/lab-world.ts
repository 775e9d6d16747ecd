import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lab } from '../../lab/lab.js';
import type { LabNode, LabProcess } from '../../lab/node.js';
import { topology } from '../../lab/topology.js';
import { bandex } from '../../test/run.js';

/** A line that `bandex host --json` prints. */
export interface HostLine {
  readonly event: string;
  readonly text: string;
  readonly code?: number;
  readonly value?: number;
  readonly reason?: string;
  readonly received?: number;
  readonly loss?: number;
}

/**
 * sender - r1 - r2 - receiver in namespaces, with the paper's people: Martha pays for Alice, Nick sells. The link between the
 * routers carries 10 Mbit/s.
 */
export class LabWorld {
  readonly services: LabProcess[] = [];
  #checks = 0;

  private constructor(
    readonly folder: string,
    readonly lab: Lab,
  ) {}

  /** `captures`: what goes over the link between the routers is written to `wire.pcap`. */
  static async up(name: string, { captures = false } = {}): Promise<LabWorld> {
    const folder = mkdtempSync(join(tmpdir(), 'bandex-e2e-'));
    const lab = await Lab.up(
      topology({
        name: `${name}-${process.pid}`.slice(0, 15),
        nodes: [
          { name: 'sender' },
          { name: 'r1', role: 'router' },
          { name: 'r2', role: 'router' },
          { name: 'receiver' },
        ],
        links: [
          { between: ['sender', 'r1'] },
          {
            between: ['r1', 'r2'],
            rate: '10Mbit/s',
            ...(captures ? { capture: join(folder, 'wire.pcap') } : {}),
          },
          { between: ['r2', 'receiver'] },
        ],
      }),
    );
    const world = new LabWorld(folder, lab);
    world.#issue();
    return world;
  }

  async down(): Promise<void> {
    await this.lab.down();
    rmSync(this.folder, { recursive: true });
  }

  /** Keys, the credit authorization, the offer, the policy. */
  #issue(): void {
    for (const name of ['martha', 'alice', 'nick', 'route'])
      this.bandex('keynote', 'keygen', this.file(`${name}.key`));
    const key = (name: string): string => readFileSync(this.file(`${name}.key.pub`), 'utf8').trim();
    const [martha, alice] = [this.file('martha.key'), this.file('alice.key.pub')];
    this.write(
      'authorization',
      this.bandex('credit', '--key', martha, '--to', alice, '--max', '0.55', '--until', '2099-01-01'),
    );
    const [nick, route] = [this.file('nick.key'), this.file('route.key.pub')];
    const terms = ['--price', '0.44', '--bandwidth', '50Mbit/s', '--link', 'isp'];
    this.write('offer', this.bandex('offer', '--key', nick, '--to', route, ...terms));
    this.write(
      'policy.kn',
      `KeyNote-Version: 2\nAuthorizer: "POLICY"\nLicensees: ${key('martha')} && ${key('nick')}\nConditions: app_domain == "Band-X" -> "true";\n`,
    );
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, text: string): string {
    writeFileSync(this.file(name), text);
    return this.file(name);
  }

  node(name: string): LabNode {
    return this.lab.node(name);
  }

  /** Runs `bandex` outside of the lab, and returns what it prints. */
  bandex(...args: string[]): string {
    const { code, out, err } = bandex(args);
    assert.equal(code, 0, `${args.join(' ')}: ${err}`);
    return out;
  }

  /** Starts a server on a node; resolves when it listens. */
  async serve(at: string, ...args: string[]): Promise<LabProcess> {
    const started = this.node(at).spawn(['bandex', ...args]);
    this.services.push(started);
    await started.printed(/listening on/, 30_000);
    return started;
  }

  /** Credentials that pay for one reservation. */
  paid(amount = '0.44'): string[] {
    const [key, to] = [this.file('alice.key'), this.file('nick.key.pub')];
    const check = this.write(
      `check-${++this.#checks}`,
      this.bandex('check', '--key', key, '--to', to, '--amount', amount),
    );
    return [this.file('offer'), this.file('authorization'), '--check', check];
  }

  host(at: string, what: 'send' | 'receive', session: string, ...more: string[]): LabProcess {
    const common = ['--session', session, '--refresh', '1s', '--json'];
    return this.node(at).spawn(['bandex', 'host', what, ...common, ...more]);
  }

  /** Both end, the receiver first; each is told, and r1 forgets what it had for them. */
  async tearDown(session: string, sender: LabProcess, receiver: LabProcess): Promise<void> {
    const { code } = await receiver.stop('SIGINT');
    assert.equal(code, 0);
    await sender.printed(/"event":"released"/);
    await eventually(async () => !(await this.show('r1', 'reservations', '--json')).includes(session));
    await sender.stop('SIGINT');
    await eventually(async () => !(await this.show('r1', 'senders', '--json')).includes(session));
  }

  /** What the routers and the policy server had to say, where a test has failed: for `afterEach`. */
  explain(test: { readonly state?: string | undefined } | undefined): void {
    if (test?.state === 'failed')
      for (const { argv, err } of this.services) console.error(argv.join(' '), err);
  }

  async show(router: string, ...args: string[]): Promise<string> {
    const socket = this.file(`${router}.sock`);
    const { code, out, err } = await this.node(router).run(['bandex', 'show', ...args, '--socket', socket]);
    assert.equal(code, 0, err);
    return out;
  }
}

export function linesOf(process: Pick<LabProcess, 'out'>): HostLine[] {
  return process.out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as HostLine);
}

/** Until `look` finds what it wants. */
export async function eventually(look: () => boolean | Promise<boolean>, patience = 15_000): Promise<void> {
  const until = Date.now() + patience;
  while (!(await look())) {
    if (Date.now() > until) assert.fail('it did not happen in time');
    await sleep(50);
  }
}
