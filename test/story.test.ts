import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fixturePath, readFixture } from '../fixtures/index.js';
import { parseAssertion, parsePrincipal } from '../policy/keynote/index.js';
import { cashier } from '../policy/payment/test/world.js';
import { PAYMENT_RSVP, PaymentPolicy } from '../policy/payment/index.js';
import type { RefusalReason, Verdict } from '../policy/payment/index.js';
import { decodeCapture } from '../rsvp/capture/index.js';

const CLI = fileURLToPath(new URL('../cli/main.js', import.meta.url));

/** What the story tells, request by request: the reason of a refusal, and what its text must name. */
const STORY: readonly (readonly [port: number, reason: RefusalReason | 'granted', names: RegExp])[] = [
  [5004, 'granted', /0\.44 USD is paid by Alice/],
  [5006, 'not-authorized', /amount 0\.60 is not < 0\.56, line \d+, in the credit authorization by Martha/],
  [5008, 'expired', /date "20071120" is not < "20070324", line \d+, in the credit authorization by Martha/],
  [
    5010,
    'not-authorized',
    /link_name "Dublin-London" is not == "Dublin-NYC", line \d+, in the offer by Nick/,
  ],
  [5012, 'bad-signature', /signature.*line \d+, in the microcheck by Alice/],
  [5014, 'not-authorized', /amount "0\.50" is not == "0\.44", line \d+, in the microcheck by Alice/],
  [5016, 'claim-overrides', /`link_name` is observed and cannot be claimed/],
  [5018, 'granted', /0\.44 USD is paid by Alice/],
  [5020, 'nonce-spent', /has paid for 192\.0\.2\.7\/17\/5018/],
  [5022, 'bandwidth-exceeded', /bandwidth 100000000 is not <= 50000000, line \d+, in the offer by Nick/],
];

const LINKS: Readonly<Record<string, string>> = { '192.0.2.1': 'Dublin-NYC', '203.0.113.1': 'Dublin-London' };

for (const [kind, folder, suffix] of [
  ['modern', 'story', ''],
  ['classic', 'story/classic', '-rsa'],
] as const) {
  describe(`the paper's story, ${kind}`, () => {
    const key = (name: string): string =>
      readFixture(`story/keys/${name}${suffix}.pub`).toString('latin1').trim();
    const newPolicy = (accepted: 'modern' | 'classic' = kind): PaymentPolicy =>
      new PaymentPolicy({
        policy: [parseAssertion(readFixture(`${folder}/policy.kn`).toString('latin1'))],
        appDomain: 'Band-X',
        routes: { other: key('route') },
        algorithms: accepted,
        names: new Map(
          ['Martha', 'Alice', 'Nick'].map((name) => [parsePrincipal(key(name.toLowerCase())).id, name]),
        ),
      });

    async function judgeAll(policy: PaymentPolicy): Promise<Verdict[]> {
      const desk = await cashier(policy);
      const verdicts: Verdict[] = [];
      for (const packet of decodeCapture(readFixture(`${folder}/story.pcap`))) {
        assert.deepEqual(packet.faults, []);
        const { type, objects } = PAYMENT_RSVP.decode(packet.payload);
        if (type !== 'Resv') continue;
        const linkName = LINKS[packet.dst];
        const holder = `edge ${verdicts.length}`;
        const steps = { incoming: true, allocation: true, outgoing: true };
        const about = { holder, pepId: 'edge', handle: '00', linkName, message: type, objects } as const;
        verdicts.push(await desk.decide({ ...about, ...steps }, Date.UTC(2007, 10, 20, 20)));
      }
      return verdicts;
    }

    it('is judged as it is told', async () => {
      const verdicts = await judgeAll(newPolicy());
      assert.equal(verdicts.length, STORY.length);
      STORY.forEach(([port, reason, names], i) => {
        const verdict = verdicts[i]!;
        assert.equal(
          verdict.granted ? 'granted' : verdict.refusal?.reason,
          reason,
          `port ${port}: ${verdict.reason}`,
        );
        assert.match(verdict.reason, names);
        if (verdict.attributes.size > 0) assert.equal(verdict.attributes.get('session_port'), String(port));
      });
    });

    it('has requests in fragments, as a message with credentials does not fit one packet', () => {
      const fragmented = [...decodeCapture(readFixture(`${folder}/story.pcap`))].filter(
        ({ frames }) => frames.length > 1,
      );
      assert.equal(fragmented.length, STORY.length);
    });

    it('can be made again, octet for octet, by the commands', function () {
      this.timeout(120_000);
      const out = mkdtempSync(join(tmpdir(), 'bandex-story-'));
      try {
        const env = { ...process.env, BANDEX: `${process.execPath} ${CLI}` };
        execFileSync(fixturePath('story/make.sh'), [kind, out], { env, stdio: ['ignore', 'ignore', 'pipe'] });
        const made = [
          'story.pcap',
          ...readdirSync(join(out, 'credentials')).map((name) => `credentials/${name}`),
        ];
        assert.ok(made.length > 10);
        for (const name of made) {
          assert.deepEqual(readFileSync(join(out, name)), readFixture(`${folder}/${name}`), name);
        }
      } finally {
        rmSync(out, { recursive: true });
      }
    });

    if (kind === 'classic') {
      it('is refused altogether by a policy that takes modern signatures only', async () => {
        assert.ok((await judgeAll(newPolicy('modern'))).every(({ granted }) => !granted));
      });
    }
  });
}
