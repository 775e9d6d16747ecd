import assert from 'node:assert/strict';
import { ended, runBandex, startBandex } from './serving.js';

/** The story of fixtures/story/README.md: one request is granted, seven are refused for reasons of their own. */
const REASONS = [
  /amount 0\.60 is not < 0\.56/,
  /date "20071120" is not < "20070324"/,
  /link_name "Dublin-London" is not == "Dublin-NYC"/,
  /the signature is not by the authorizer's key/,
  /amount "0\.50" is not == "0\.44"/,
  /nonce `5a1f92c4e6b8` has paid/,
  /bandwidth 100000000 is not <= 50000000/,
];

describe('bandex demo', () => {
  for (const form of [[], ['--classic']]) {
    it(`plays the story once and ends with 0 ${form.join('')}`, async () => {
      const { code, out, err } = await runBandex(['demo', '--once', ...form]);
      assert.equal(code, 0, err);
      assert.match(out, /install +│ 0\.44 USD is paid by Alice/);
      for (const reason of REASONS) assert.match(out, reason);
      // Two checks of 0.44 USD are deposited, and end where they should: Alice owes nothing any more, Nick has his money.
      assert.equal(out.match(/^ {2}accepted {2}0\.44 USD by alice through martha$/gm)?.length, 2);
      assert.match(out, /martha owes nick 0\.88 USD, and pays/);
      assert.deepEqual(
        [...out.matchAll(/^(alice|martha|nick), USD\n(?:.+\n)+? +closing +(\S+)$/gm)].map((found) =>
          found.slice(1),
        ),
        [
          ['alice', '0.00'],
          ['martha', '0.00'],
          ['nick', '0.00'],
        ],
      );
      assert.match(out, /Audit: 8 entries sum to zero/);
    });
  }

  it('goes on serving until Ctrl-C, and the capture can be played to it again', async () => {
    const child = startBandex(['demo']);
    const end = ended(child);
    let out = '';
    child.stdout?.on('data', (text: string) => (out += text));
    while (!/--pdp 127\.0\.0\.1:\d+/.test(out))
      await new Promise((resolve) => child.stdout?.once('data', resolve));
    const [, capture = '', pdp = ''] = /replay (\S+) --pdp (\S+)/.exec(out) ?? [];
    const { code, lines } = await runBandex(['replay', capture, '--pdp', pdp]);
    child.kill('SIGINT');
    assert.equal(code, 0);
    assert.equal(lines.length, 20);
    assert.equal((await end).code, 0);
  });
});
