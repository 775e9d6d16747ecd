import assert from 'node:assert/strict';
import { PepClient } from '../cops/io/index.js';
import type { PepAnswer } from '../cops/io/index.js';
import { check } from '../policy/payment/test/world.js';
import { onEachEngine } from '../policy/stores/test/engines.js';
import { Restarted } from './kill/process.js';
import { resv, Town } from './kill/town.js';
import { THOROUGH } from './thorough.js';

/** Nonces that are asked for at once. */
const AT_ONCE = 64;

/** On one file a writer waits for the other, so there are fewer. */
const NONCES = { sqlite: 1000, postgresql: THOROUGH ? 10_000 : 2000 } as const;

describe('two policy servers on one database', function () {
  this.timeout(240_000);

  onEachEngine(({ name, place }) => {
    const count = NONCES[name];
    let town: Town;
    let pdps: Restarted[];
    let peps: PepClient[];
    before(async () => {
      const database = await place();
      town = new Town('clearing.db', { hold: 60, dead: 120, timeout: 60 });
      pdps = ['a', 'b'].map((pdp) => new Restarted(pdp, town.pdp(pdp, database)));
      await Promise.all(pdps.map((pdp) => pdp.ready()));
      peps = pdps.map(
        ({ port }, n) =>
          new PepClient({
            pdps: [{ host: '127.0.0.1', port }],
            pepId: `router-${n}`,
            limits: { requestTimeout: 60_000 },
          }),
      );
    });
    after(async () => {
      await Promise.all(peps.map((pep) => pep.close()));
      await Promise.all(pdps.map((pdp) => pdp.stop()));
      town.remove();
    });

    it(`grant a nonce that comes to both at once to one reservation, each of ${count} times`, async () => {
      const wins = [0, 0];
      let next = 0;
      /** Two reservations, one check, at the same time. */
      const contest = async (n: number): Promise<void> => {
        const nonce = `nonce-${n}`;
        const signed = check(nonce);
        const ask = (i: number): Promise<PepAnswer> =>
          (peps[i] as PepClient).request(resv(nonce, 2000 + ((2 * n + i) % 60_000), signed));
        // One of them must be written to first: by turns.
        const first = ask(n % 2);
        const second = ask(1 - (n % 2));
        const answers = await Promise.all(n % 2 === 0 ? [first, second] : [second, first]);
        const granted = answers.map(({ decisions }) =>
          decisions.every(({ command }) => command === 'install'),
        );
        assert.deepEqual(
          [...granted].sort(),
          [false, true],
          `nonce ${n} was granted ${String(granted)}: ${JSON.stringify(answers.map(reasonOf))}`,
        );
        wins[granted.indexOf(true)]!++;
        // Only now: what is deleted can be granted again.
        answers.forEach(({ handle }, i) => peps[i]?.delete(handle));
      };
      const worker = async (): Promise<void> => {
        while (next < count) await contest(next++);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      assert.equal((wins[0] ?? 0) + (wins[1] ?? 0), count);
      for (const each of wins) assert.ok(each > 0, `one server has won every time: ${String(wins)}`);
    });
  });
});

/** What the PDP says in the error objects of a refusal, as far as it is text. */
function reasonOf({ decisions }: PepAnswer): string {
  return decisions
    .map(({ replacement = new Uint8Array() }) =>
      Buffer.from(replacement)
        .toString('latin1')
        .replace(/[^ -~]+/g, ' '),
    )
    .join(' ');
}
