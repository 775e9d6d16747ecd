import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TimeValues, Writer } from '../../rsvp/wire/index.js';
import type { ContextDecision } from '../../cops/index.js';
import { PepClient } from '../../cops/io/index.js';
import { fixturePath } from '../../fixtures/index.js';
import { THOROUGH } from '../../test/thorough.js';
import { parsePrincipal } from '../../policy/keynote/index.js';
import { PAYMENT_RSVP, readStatement, revocationStatement, subjectOf } from '../../policy/payment/index.js';
import type { RevocationOptions } from '../../policy/payment/index.js';
import {
  authorization,
  check,
  claims,
  JOINT,
  KEYS,
  NOW,
  offered,
  principal,
  request,
  signed,
} from '../../policy/payment/test/world.js';
import type { Person } from '../../policy/payment/test/world.js';
import { parseAssertion } from '../../policy/keynote/index.js';
import { onEachEngine } from '../../policy/stores/test/engines.js';
import { parseConfig } from '../pdp/load.js';
import { createLog } from '../pdp/log.js';
import { PdpService } from '../pdp/service.js';
import { runBandex } from './serving.js';

const OPTIONS: RevocationOptions = { policy: [parseAssertion(JOINT)], appDomain: 'Band-X' };

function statement(by: Person, subject: string, reason?: string): string {
  return signed(by, revocationStatement({ from: principal(by), subject, appDomain: 'Band-X', reason }));
}

describe('a revocation', () => {
  const about = authorization();
  const judge = (text: string, assertion?: string, options = OPTIONS) =>
    readStatement({ text, about: assertion, at: NOW }, options);

  it('of a credential counts if it is signed by whoever wrote that', () => {
    const read = judge(statement('martha', subjectOf(about), 'account closed'), about);
    assert.ok(typeof read === 'object');
    assert.equal(read.subject.text, subjectOf(about));
    assert.equal(read.by.id, KEYS.martha.principal.id);
    assert.equal(read.reason, 'account closed');
  });

  it('of a key counts if it is signed by that key', () => {
    assert.ok(typeof judge(statement('alice', principal('alice'))) === 'object');
  });

  it('by anybody else needs the leave of the policy, and a policy about reservations gives none', () => {
    const text = /the policy does not let ed25519:\w+ revoke/;
    for (const by of ['nick', 'alice', 'mallory'] as const)
      assert.match(judge(statement(by, subjectOf(about)), about) as string, text);
    for (const by of ['nick', 'martha', 'mallory'] as const)
      assert.match(judge(statement(by, principal('alice'))) as string, text);
    const open = parseAssertion(
      `Authorizer: "POLICY"\nLicensees: "${principal('martha')}"\nConditions: app_domain == "Band-X" -> "true";\n`,
    );
    const options = { ...OPTIONS, policy: [open] };
    assert.match(judge(statement('martha', principal('alice')), undefined, options) as string, text);
  });

  it('by whom the policy lets counts, within its conditions', () => {
    const rule = (condition: string) => ({
      ...OPTIONS,
      policy: [
        parseAssertion(
          `Authorizer: "POLICY"\nLicensees: "${principal('nick')}"\n` +
            `Conditions: app_domain == "Band-X-revocation" && ${condition} -> "true";\n`,
        ),
      ],
    });
    const byNick = statement('nick', subjectOf(about));
    assert.ok(typeof judge(byNick, about, rule(`author == "${principal('martha')}"`)) === 'object');
    assert.equal(typeof judge(byNick, about, rule(`author == "${principal('alice')}"`)), 'string');
    const ofKey = statement('nick', principal('mallory'));
    assert.ok(typeof judge(ofKey, undefined, rule(`subject == "${principal('mallory')}"`)) === 'object');
    assert.equal(typeof judge(ofKey, undefined, rule(`subject == "${principal('alice')}"`)), 'string');
  });

  it('does not count with a wrong signature, or beside another assertion than it names', () => {
    const good = statement('martha', subjectOf(about));
    const forged = good.replace(/Signature: .*\n/, /Signature: .*\n/.exec(statement('mallory', 'x'))![0]);
    assert.match(judge(forged, about) as string, /signature/);
    assert.match(judge(good, authorization('martha', 'mallory')) as string, /another assertion/);
    assert.match(judge(good) as string, /does not let/, 'whoever wrote it is not known');
  });

  it('names a key however that is written', () => {
    const hex = parsePrincipal(principal('alice')).toText('hex');
    const read = judge(statement('alice', hex));
    assert.ok(typeof read === 'object' && read.subject.id === KEYS.alice.principal.id);
  });
});

/** Installed reservations, of which every hundredth hangs on another authorization. */
const INSTALLED = { sqlite: THOROUGH ? 10_000 : 3000, postgresql: THOROUGH ? 10_000 : 2000 };
const AFFECTED_EVERY = 100;

describe('bandex revoke', function () {
  this.timeout(300_000);

  onEachEngine(({ name, place }) => {
    let folder: string;
    let service: PdpService;
    let pep: PepClient;
    let config: string;

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'bandex-revoke-'));
      config = join(folder, 'pdp.yaml');
      writeFileSync(
        config,
        `listen: [{ address: 127.0.0.1, port: 0 }]
policy:
  files: ['${fixturePath('story/policy.kn')}']
  route: '${fixturePath('story/keys/route.pub')}'
  names: { Martha: '${fixturePath('story/keys/martha.pub')}', Alice: '${fixturePath('story/keys/alice.pub')}' }
store: { database: '${await place()}' }
links: [{ name: Dublin-NYC, ifIndex: 1 }]
limits: { handles: 20000 }
`,
      );
      const log = createLog({ level: 'silent', format: 'json' });
      service = new PdpService(parseConfig(config, readFileSync(config, 'utf8')), { log, clock: () => NOW });
      const [at] = await service.start();
      pep = new PepClient({ pdps: [{ host: '127.0.0.1', port: at!.port }], pepId: 'edge' });
      await pep.opened();
    });
    after(async () => {
      await pep.close();
      await service.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    it(`removes what hangs on a credential within a second, of ${INSTALLED[name]} reservations, and nothing else`, async () => {
      const common = authorization();
      const other = authorization('martha', 'alice', '0.56', 'currency == "USD"');
      const affected = new Set<string>();
      const install = async (i: number): Promise<void> => {
        const hit = i % AFFECTED_EVERY === 0;
        const nonce = `n${i}`;
        const contents = {
          claims: claims({ nonce }),
          assertions: [check(nonce), offered(), hit ? other : common],
        };
        const { objects } = request(contents, { port: 1 + (i % 60_000) });
        const { handle, decisions } = await pep.request({
          rType: 1,
          mType: 2,
          inInterface: { address: '192.0.2.7', ifindex: 1 },
          clientSi: [{ kind: 'signaled', data: withTimeValues(objects) }],
        });
        assert.equal(decisions[0]?.command, 'install');
        pep.report(handle, 'success');
        if (hit) affected.add(handle);
      };
      for (let i = 0; i < INSTALLED[name]; i += 500)
        await Promise.all(Array.from({ length: 500 }, (_, j) => install(i + j)));

      const file = join(folder, 'authorization');
      writeFileSync(file, other, 'latin1');
      const removed = new Map<string, readonly ContextDecision[]>();
      let last = 0;
      pep.on('decision', ({ handle, decisions }) => {
        removed.set(handle, decisions);
        last = performance.now();
      });
      const ran = await runBandex([
        'revoke',
        file,
        '--config',
        config,
        '--key',
        fixturePath('story/keys/martha.key'),
        '--reason',
        'account closed',
      ]);
      const done = performance.now();
      assert.equal(ran.code, 0, ran.err);
      while (removed.size < affected.size && performance.now() - done < 10_000)
        await new Promise((resolve) => setTimeout(resolve, 20));
      await new Promise((resolve) => setTimeout(resolve, 300));
      assert.deepEqual(new Set(removed.keys()), affected);
      assert.ok([...removed.values()].every(([decision]) => decision?.command === 'remove'));
      assert.ok(last - done < 1000, `the last Remove came ${Math.round(last - done)} ms after the command`);
    });

    it('is listed, and done once', async () => {
      const key = fixturePath('story/keys/martha.key');
      const again = await runBandex([
        'revoke',
        join(folder, 'authorization'),
        '--config',
        config,
        '--key',
        key,
        '--reason',
        'account closed',
      ]);
      assert.match(again.out, /was revoked before/);
      const listed = await runBandex(['revoke', '--list', '--config', config]);
      assert.match(listed.out, /assertion-sha256:[0-9a-f]{64} .* Martha .* account closed/);
    });

    it('has ended the payments of what was removed, as bandex payments lists them, and no other', async () => {
      const ran = await runBandex([
        'payments',
        '--config',
        config,
        '--state',
        'ended',
        '--limit',
        '20000',
        '--json',
      ]);
      const listed = ran.lines.map((line) => JSON.parse(line) as { nonce: string; heldAt: string[] });
      assert.deepEqual(
        listed.map(({ nonce }) => nonce).sort(),
        Array.from({ length: INSTALLED[name] / AFFECTED_EVERY }, (_, i) => `n${i * AFFECTED_EVERY}`).sort(),
      );
      assert.ok(listed.every(({ heldAt }) => heldAt.length === 0));
      const table = await runBandex(['payments', '--config', config, '--state', 'committed', '--limit', '3']);
      assert.equal(table.lines.length, 4);
      assert.match(table.lines[1] ?? '', / committed .* 0\.44 USD +Alice +n\d+ +edge/);
    });

    it('is refused with exit code 2 where the policy does not let the signer', async () => {
      const ran = await runBandex([
        'revoke',
        fixturePath('story/keys/alice.pub'),
        '--config',
        config,
        '--key',
        fixturePath('story/keys/mallory.key'),
      ]);
      assert.equal(ran.code, 2);
      assert.match(ran.err, /the policy does not let ed25519:\w+ revoke Alice/);
    });

    it('refuses later requests, and says who revoked what when and why', async () => {
      const contents = {
        claims: claims({ nonce: 'late' }),
        assertions: [check('late'), offered(), authorization('martha', 'alice', '0.56', 'currency == "USD"')],
      };
      const { objects } = request(contents, { port: 60_001 });
      const { decisions } = await pep.request({
        rType: 1,
        mType: 2,
        inInterface: { address: '192.0.2.7', ifindex: 1 },
        clientSi: [{ kind: 'signaled', data: withTimeValues(objects) }],
      });
      assert.equal(decisions[0]?.command, 'remove');
      const text = Buffer.from(decisions[0].replacement ?? []).toString('latin1');
      assert.match(text, /the credit authorization by Martha was revoked by Martha at .*: account closed/);
    });
  });
});

const TIMES = TimeValues.make({ refreshPeriod: 30_000 });

/** A Resv as RFC 2205 3.1.4 has it. */
function withTimeValues(objects: ReturnType<typeof request>['objects']): Uint8Array {
  const writer = new Writer();
  PAYMENT_RSVP.objects.writeAll(writer, [...objects.slice(0, 2), TIMES, ...objects.slice(2)]);
  return writer.finish();
}
