import assert from 'node:assert/strict';
import { microcheck } from '../../payment/index.js';
import { authorization, check, offered, signed } from '../../payment/test/world.js';
import { onEachEngine } from '../../stores/test/engines.js';
import type { DepositAnswer, DepositRequest } from '../index.js';
import {
  account,
  ACCOUNTS,
  dump,
  known,
  NOW,
  openCentre,
  payment,
  POLICY,
  principal,
  requestOf,
} from './centre.js';
import type { Opened, Paid } from './centre.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe('Deposits', () => {
  onEachEngine(({ place }) => {
    let opened: Opened;
    before(async () => {
      opened = await openCentre(await place());
    });
    after(() => opened.centre.close());

    async function hand(request: DepositRequest, isp = 'nick', now = NOW): Promise<DepositAnswer> {
      const [answer] = await opened.centre.deposit(known(opened.centre, isp), request, now);
      return answer!;
    }

    it('accepts one: the user owes, the ISP has, and the receipt names both entries', async () => {
      const answer = await hand(requestOf(payment()));
      assert.equal(answer.answer, 'accepted', answer.reason);
      assert.deepEqual(answer.receipt?.entries, [1, 2]);
      assert.equal(answer.receipt.deposit, 1);
      assert.equal(answer.receipt.at, '2007-11-20T20:00:00.000Z');
      const accounts = await opened.centre.accounts(NOW);
      const balances = accounts.flatMap(({ kind, balances }) =>
        balances.map(({ balance, unsettled }) => `${kind} ${balance} ${unsettled}`),
      );
      assert.deepEqual(balances.sort(), ['isp 0.44 0.00', 'provider 0.00 0.44', 'user -0.44 0.00']);
      assert.deepEqual((await opened.centre.audit({ verify: true })).problems, []);
    });

    it('answers with the first receipt where it was accepted before, even when it would be too old now', async () => {
      const before = await dump(opened.store);
      const again = await hand(requestOf(payment()), 'nick', NOW + 1000 * DAY);
      const renamed = await hand(requestOf(payment({ deposit: { id: 'another name' } })));
      for (const answer of [again, renamed]) {
        assert.equal(answer.answer, 'duplicate');
        assert.deepEqual(answer.receipt?.entries, [1, 2]);
      }
      assert.equal(await dump(opened.store), before);
    });

    it('shows both uses of a nonce that is spent twice', async () => {
      const before = await dump(opened.store);
      const second = payment({
        deposit: { id: 'second', reservation: '192.0.2.8/udp/5004 FF 198.51.100.9/5004' },
      });
      const answer = await hand(requestOf(second));
      assert.equal(answer.answer, 'double-spent');
      assert.match(
        answer.reason,
        /nonce `eb2c3dfc8e9a` has paid nick for 192\.0\.2\.7\/udp\/5004 .* \(deposit 1\)/,
      );
      assert.equal(answer.first?.id, 'grant-eb2c3dfc8e9a');
      assert.deepEqual(answer.first.receipt?.entries, [1, 2]);
      assert.equal(answer.second?.id, 'second');
      assert.equal(answer.second.reservation, second.deposit.reservation);
      assert.equal(await dump(opened.store), before);
    });

    it('accepts the first of two uses in one request, in their order', async () => {
      const first = payment({ nonce: 'twice' });
      const second = payment({
        nonce: 'twice',
        deposit: { id: 'other', pepId: 'edge-2' },
        attributes: { pep_id: 'edge-2' },
      });
      const both = requestOf(first, second, first);
      const answers = await opened.centre.deposit(known(opened.centre, 'nick'), both, NOW);
      assert.deepEqual(
        answers.map(({ answer }) => answer),
        ['accepted', 'double-spent', 'duplicate'],
      );
    });

    it('refuses an id that names another deposit', async () => {
      const answer = await hand(
        requestOf(payment({ nonce: 'fresh', deposit: { id: 'grant-eb2c3dfc8e9a' } })),
      );
      assert.deepEqual(
        [answer.answer, answer.reason],
        ['refused', 'id `grant-eb2c3dfc8e9a` names another deposit, number 1'],
      );
    });

    const refusals: readonly [string, Paid, RegExp, { isp?: string; now?: number }?][] = [
      [
        'an amount that is negative',
        { amount: '-0.44', credentials: [check('n')] },
        /amount `-0.44` is not a decimal/,
      ],
      ['an amount that is zero', { amount: '0.00', credentials: [check('n')] }, /is zero/],
      [
        'an amount that overflows',
        { amount: '99999999999999999999', credentials: [check('n')] },
        /significant digits/,
      ],
      ['an amount with an exponent', { amount: '1e9', credentials: [check('n')] }, /is not a decimal/],
      [
        'more decimals than the currency has',
        { amount: '0.445' },
        /amount 0\.445 has more decimals than USD, which has 2/,
      ],
      [
        'decimals of a currency without any',
        { deposit: { currency: 'JPY' }, attributes: { currency: 'JPY' } },
        /0\.44 has more decimals than JPY, which has 0/,
      ],
      [
        'a currency that is not cleared',
        { deposit: { currency: 'EUR' }, attributes: { currency: 'EUR' } },
        /^EUR is not cleared here, only USD, JPY$/,
      ],
      ['a currency that is none', { deposit: { currency: 'usd' } }, /`usd` is not three capital letters/],
      ['a nonce with a line end', { deposit: { nonce: 'a\nb' } }, /printable ASCII/],
      ['a nonce with a NUL', { deposit: { nonce: 'a\0b' } }, /printable ASCII/],
      ['an id with a NUL', { deposit: { id: 'a\0b' } }, /id has a control character/],
      ['half a character', { attributes: { x: '\ud800' } }, /attribute x has a control character/],
      ['an id that is too long', { deposit: { id: 'x'.repeat(129) } }, /id has 129 characters, at most 128/],
      [
        'an amount that is not the attribute',
        { deposit: { amount: '0.45' } },
        /attribute amount is `0.44`, expected `0.45`/,
      ],
      [
        'a nonce that is not the attribute',
        { attributes: { nonce: 'x' } },
        /attribute nonce is `x`, expected/,
      ],
      [
        'another application',
        { attributes: { app_domain: 'X' } },
        /attribute app_domain is `X`, expected `Band-X`/,
      ],
      [
        'another router',
        { attributes: { pep_id: 'edge-9' } },
        /attribute pep_id is `edge-9`, expected `edge-1`/,
      ],
      [
        'another link',
        { deposit: { linkName: undefined } },
        /attribute link_name is `Dublin-NYC`, expected none/,
      ],
      ['another duration', { attributes: { duration: '60' } }, /attribute duration is `60`, expected ``/],
      [
        'a grant in the future',
        { grantedAt: NOW + 301_000 },
        /grantedAt 2007-11-20T20:05:01.000Z is in the future/,
      ],
      ['a grant that is too old', {}, /too old to be taken/, { now: NOW + 91 * DAY }],
      ['a grant at no time', { deposit: { grantedAt: 'yesterday' } }, /grantedAt `yesterday` is not a time/],
      [
        'a commit in the future',
        { deposit: { committedAt: '2007-11-21T20:00:00Z' } },
        /committedAt .* is in the future/,
      ],
      [
        'a commit before its grant',
        { deposit: { committedAt: '2007-11-20T19:00:00Z' } },
        /is before grantedAt/,
      ],
      [
        'a date that is not that of the grant',
        { attributes: { date: '20071119' } },
        /date `20071119` and time `200000`/,
      ],
      ['no date', { attributes: { date: '' } }, /date `` and time/],
      [
        'another payer',
        { deposit: { payers: [principal('mallory')] } },
        /payers are ed25519:\w{16}, not those that are claimed/,
      ],
      [
        'a payer too many',
        { deposit: { payers: [principal('alice'), principal('mallory')] } },
        /not those that are claimed/,
      ],
      ['no payer', { deposit: { payers: [] } }, /there are no payers/],
      [
        'a credential that was not sent',
        { deposit: { credentials: ['ab'.repeat(32)] } },
        /credential 1 is abab\w+, which was not sent/,
      ],
      ['no credentials', { credentials: [] }, /there are no credentials/],
      [
        'more credentials than are taken',
        { deposit: { credentials: Array<string>(33).fill('x') } },
        /33 credentials are more than 32/,
      ],
      ['a credential that is no assertion', { credentials: ['rubbish'] }, /credential 1, line 1/],
      ['a character that is no octet', { credentials: ['Authorizer: "\u0141"\n'] }, /is not text of octets/],
      [
        'a credential that is too long',
        { credentials: ['x'.repeat((1 << 16) + 1)] },
        /has 65537 octets, at most 65536/,
      ],
      [
        'a check for less',
        { attributes: { amount: '0.50' }, deposit: { amount: '0.50' } },
        /^amount "0\.50" is not == "0\.44", line 7, in the microcheck by/,
      ],
      [
        'no authorization',
        { credentials: [offered(), check('n')], nonce: 'n' },
        /^martha did not request this, and no assertion by martha was presented/,
      ],
      [
        'no check',
        { credentials: [offered(), authorization()], nonce: 'n' },
        /^ed25519:\w{16} did not request this, and no assertion by/,
      ],
      [
        'a check with a wrong signature',
        {
          credentials: [
            authorization(),
            offered(),
            check('n').replace(/base64:...(?=[^"]*"\n$)/, 'base64:AAA'),
          ],
          nonce: 'n',
        },
        /^the signature is not by the authorizer's key, or the text was changed, line 11/,
      ],
      [
        'a nonce that nothing binds',
        {
          credentials: [authorization('martha', 'nick'), offered()],
          nonce: 'n',
          deposit: { payers: [principal('nick')] },
        },
        /no credential binds the nonce `n`/,
      ],
      [
        'a check that is payable to another ISP',
        { nonce: 'n' },
        /^the check by ed25519:\w{16} is payable to nick, not to mallory$/,
        { isp: 'mallory' },
      ],
    ];
    for (const [what, paid, reason, { isp = 'nick', now = NOW } = {}] of refusals) {
      it(`refuses ${what}, and changes nothing`, async () => {
        const before = await dump(opened.store);
        const answer = await hand(requestOf(payment({ nonce: 'n', ...paid })), isp, now);
        assert.equal(answer.answer, 'refused');
        assert.match(answer.reason, reason);
        assert.equal(await dump(opened.store), before);
      });
    }

    it('refuses credentials that are too long together', async () => {
      const long = Array.from({ length: 3 }, (_, i) => `Comment: ${i}${'x'.repeat(60_000)}\n`);
      const answer = await hand(requestOf(payment({ nonce: 'n', credentials: long })));
      assert.equal(answer.reason, 'the credentials have more than 131072 octets');
    });

    it('refuses a text that is not what its digest says', async () => {
      const { deposit, assertions } = payment({ nonce: 'n' });
      const [first = ''] = deposit.credentials;
      const answer = await hand({ assertions: { ...assertions, [first]: 'other' }, deposits: [deposit] });
      assert.match(answer.reason, /^credential 1 is called [0-9a-f]{64}, but its SHA-256 is [0-9a-f]{64}$/);
    });

    it('accepts what it refused once its reason is gone', async () => {
      const whole = payment({ nonce: 'later', grantedAt: NOW + HOUR });
      assert.equal((await hand(requestOf(whole))).answer, 'refused');
      assert.equal((await hand(requestOf(whole), 'nick', NOW + HOUR)).answer, 'accepted');
    });

    it('keeps everything over a restart', async () => {
      const where = await place();
      const first = await openCentre(where);
      await first.centre.deposit(known(first.centre, 'nick'), requestOf(payment()), NOW);
      const before = await dump(first.store);
      await first.centre.close();
      const second = await openCentre(where);
      assert.equal(await dump(second.store), before);
      const [again] = await second.centre.deposit(known(second.centre, 'nick'), requestOf(payment()), NOW);
      assert.equal(again?.answer, 'duplicate');
      await second.centre.close();
    });
  });
});

describe('Who settles', () => {
  const bank = account('bank', 'bank', ['mallory']);
  const [martha, nick] = ACCOUNTS;

  async function answerOf(
    policy: string,
    accounts: typeof ACCOUNTS,
    paid: Paid,
  ): Promise<{ answer: DepositAnswer; provider: string | undefined }> {
    const opened = await openCentre(':memory:', { policy, accounts });
    const [answer] = await opened.centre.deposit(known(opened.centre, 'nick'), requestOf(payment(paid)), NOW);
    const [batch] = await opened.centre.settle(NOW);
    assert.deepEqual((await opened.centre.audit({ verify: true })).problems, []);
    await opened.centre.close();
    return { answer: answer!, provider: batch?.provider };
  }
  const BANK_POLICY = POLICY.replace(principal('martha'), principal('mallory'));
  const fromBank = authorization('mallory', 'martha', '100.0');
  const chain = [fromBank, authorization(), offered(), check('n')];

  it('is the provider that authorized the payer, also where a bank stands above it', async () => {
    const { answer, provider } = await answerOf(BANK_POLICY, [martha!, nick!, bank], {
      nonce: 'n',
      credentials: chain,
    });
    assert.equal(answer.answer, 'accepted', answer.reason);
    assert.equal(provider, 'martha');
  });

  it('is the bank where the provider has no account', async () => {
    const { provider } = await answerOf(BANK_POLICY, [nick!, bank], { nonce: 'n', credentials: chain });
    assert.equal(provider, 'bank');
  });

  it('is nobody where no account is above the payer', async () => {
    const { answer } = await answerOf(POLICY, [nick!, bank], { nonce: 'n' });
    assert.match(answer.reason, /^nobody who has an account here settles for ed25519:\w{16}$/);
  });

  it('is not whoever an unsigned credential names', async () => {
    const forged = authorization('mallory', 'alice').replace(/base64:...(?=[^"]*"\n$)/, 'base64:AAA');
    const { provider } = await answerOf(POLICY, [martha!, nick!, bank], {
      nonce: 'n',
      credentials: [forged, authorization(), offered(), check('n')],
    });
    assert.equal(provider, 'martha');
  });

  it('is not whoever signs that it pays, but is not trusted', async () => {
    const { provider } = await answerOf(POLICY, [martha!, nick!, bank], {
      nonce: 'n',
      credentials: [authorization('mallory', 'alice'), authorization(), offered(), check('n')],
    });
    assert.equal(provider, 'martha');
  });

  it('is the payer itself where it is a provider', async () => {
    const own = signed(
      'martha',
      microcheck({
        ...{ from: principal('martha'), to: principal('nick'), appDomain: 'Band-X', nonce: 'n' },
        money: { amount: '0.44', currency: 'USD' },
      }),
    );
    const { answer, provider } = await answerOf(POLICY, [martha!, nick!], {
      nonce: 'n',
      credentials: [own, offered()],
      deposit: { payers: [principal('martha')] },
    });
    assert.equal(answer.answer, 'accepted', answer.reason);
    assert.equal(provider, 'martha');
  });

  it('is found in the other shape of Figure 3 too, where the signed request is to a policy node of the ISP', async () => {
    const { answer, provider } = await answerOf(POLICY, [martha!, nick!], {
      nonce: 'n',
      credentials: [authorization(), check('n')],
      deposit: { route: undefined, nodeKeys: [principal('nick')] },
    });
    assert.equal(answer.answer, 'accepted', answer.reason);
    assert.equal(provider, 'martha');
  });
});

describe('Several payers', () => {
  it('share the amount, and what does not divide falls to one of them', async () => {
    const both = `Authorizer: "POLICY"
Licensees: "${principal('alice')}" && "${principal('mallory')}"
`;
    const accounts = [
      account('nick', 'isp', ['nick']),
      account('alice', 'provider', ['alice']),
      account('mallory', 'bank', ['mallory']),
    ];
    const opened = await openCentre(':memory:', { policy: both, accounts });
    const second = signed(
      'mallory',
      microcheck({
        ...{ from: principal('mallory'), to: principal('nick'), appDomain: 'Band-X', nonce: 'n' },
        money: { amount: '0.45', currency: 'USD' },
      }),
    );
    const request = requestOf(
      payment({
        nonce: 'n',
        amount: '0.45',
        credentials: [check('n', '0.45'), second, offered()],
        deposit: { payers: [principal('alice'), principal('mallory')] },
      }),
    );
    const [answer] = await opened.centre.deposit(known(opened.centre, 'nick'), request, NOW);
    assert.equal(answer?.answer, 'accepted', answer?.reason);
    const balances = (await opened.centre.accounts(NOW)).map(({ balances: [usd] }) => usd?.balance);
    assert.deepEqual(balances.sort(), ['-0.22', '-0.23', '0.45']);
    assert.deepEqual((await opened.centre.audit({ verify: true })).problems, []);
    await opened.centre.settle(NOW);
    assert.deepEqual((await opened.centre.audit()).problems, []);
    await opened.centre.close();
  });
});
