import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PepRequest } from '../../cops/index.js';
import { PAYMENT_RSVP, paymentObject } from '../../policy/payment/index.js';
import { SessionIpv4, TimeValues, Writer } from '../../rsvp/wire/index.js';
import { fixturePath } from '../../fixtures/index.js';
import {
  authorization,
  check,
  claims,
  JOINT,
  NOW,
  offered,
  request,
} from '../../policy/payment/test/world.js';
import { POLICY } from '../../policy/clearing/test/centre.js';

/** Where the compiled programs are; another place has them in one file each, which start in half the time. */
const DIST = process.env['BANDEX_KILL_DIST'] ?? fileURLToPath(new URL('../..', import.meta.url));
const MAIN = join(DIST, 'cli/main.js');
const DEPOSITOR = join(DIST, 'test/kill/depositor.js');

export interface TownTimes {
  readonly hold: number;
  readonly dead: number;
  /** How long a request waits for the database. */
  readonly timeout: number;
}

/** Files of the paper's people, in a folder of their own: what their processes are started with. */
export class Town {
  readonly folder = mkdtempSync(join(tmpdir(), 'bandex-kill-'));
  readonly #since = Date.now();

  constructor(
    readonly clearingPlace: string,
    /** Seconds. */
    times: TownTimes,
  ) {
    for (const name of ['martha', 'alice', 'nick', 'route'])
      for (const kind of ['key', 'pub'])
        copyFileSync(fixturePath(`story/keys/${name}.${kind}`), this.file(`${name}.${kind}`));
    writeFileSync(this.file('policy.kn'), JOINT);
    writeFileSync(this.file('clearing.kn'), POLICY);
    writeFileSync(
      this.file('clear.yaml'),
      `listen: { port: 0 }
store: ${JSON.stringify(clearingPlace)}
policy: { files: [clearing.kn] }
accounts:
  - { name: martha, kind: provider, keys: [martha.pub] }
  - { name: nick, kind: isp, keys: [nick.pub] }
operators: [route.pub]
log: { level: error, format: json }
`,
    );
    this.#times = times;
  }

  readonly #times: TownTimes;

  file(name: string): string {
    return join(this.folder, name);
  }

  /** Arguments of a policy server on a database. */
  pdp(name: string, database: string): () => readonly string[] {
    const { hold, dead, timeout } = this.#times;
    const config = this.file(`${name}.yaml`);
    writeFileSync(
      config,
      `listen: [{ address: 127.0.0.1, port: 0 }]
policy: { files: [policy.kn], appDomain: Band-X, route: route.pub }
links: [{ name: Dublin-NYC, ifIndex: 1 }]
store: { database: ${JSON.stringify(database)}, holdTimeout: ${hold}s, deadAfter: ${dead}s, timeout: ${timeout}s }
# Customers here show the same check twice on purpose, over and over.
quarantine: { enabled: false }
log: { level: error, format: json }
`,
    );
    return () => [MAIN, 'pdp', '--config', config, '--json', '--at', this.#now()];
  }

  clearing(): () => readonly string[] {
    return () => [MAIN, 'clear', 'serve', '--config', this.file('clear.yaml'), '--json', '--at', this.#now()];
  }

  audit(): readonly string[] {
    return [MAIN, 'clear', 'audit', '--config', this.file('clear.yaml'), '--verify', '--json'];
  }

  /** The loop that hands in what the books say is due. */
  depositor(database: string, url: () => string): () => readonly string[] {
    return () => [DEPOSITOR, database, url(), this.file('nick.key'), this.#now()];
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The day of the paper's checks, going on. */
  #now(): string {
    return new Date(NOW + Date.now() - this.#since).toISOString();
  }
}

const CREDENTIALS = [authorization(), offered()];
/** What all of these reservations have in common: made once. */
const [, HOP, , STYLE, FLOWSPEC, FILTER] = request({ claims: claims({}), assertions: [] }).objects;
const SESSION = { destAddress: '192.0.2.7', protocolId: 17, flags: 0 } as const;
const REFRESH = TimeValues.make({ refreshPeriod: 30_000 });

/** A reservation of Alice's, told apart by its port, with a check that she signs now. */
export function resv(nonce: string, port: number, signed = check(nonce)): PepRequest {
  const payment = paymentObject({ claims: claims({ nonce }), assertions: [...CREDENTIALS, signed] });
  const writer = new Writer();
  PAYMENT_RSVP.objects.writeAll(
    writer,
    [SessionIpv4.make({ ...SESSION, dstPort: port }), HOP, REFRESH, payment, STYLE, FLOWSPEC, FILTER].filter(
      (object) => object !== undefined,
    ),
  );
  return {
    ...{ rType: 7, mType: 2, inInterface: { address: '192.0.2.7', ifindex: 1 } },
    clientSi: [{ kind: 'signaled', data: writer.finish() }],
  };
}
