import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fixturePath } from '../../../fixtures/index.js';
import { ConfigError } from '../../config/load.js';
import { bandex } from '../../test/run.js';
import { linkNameOf, parseRouterConfig, paymentConfig } from '../load.js';
import { checkRouterConfig, nodeSettings } from '../setup.js';

/** What is wrong with a configuration, as `line:column message`. */
function problems(source: string): string[] {
  try {
    checkRouterConfig(parseRouterConfig(fixturePath('story/router.yaml'), source));
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
  }
  return [];
}

const WAN = 'interfaces: [{ name: wan0, bandwidth: 10Mbit/s }]\n';

describe('the configuration of a router', () => {
  for (const [what, source, ...expected] of [
    ['interfaces alone are enough', WAN],
    ['no interfaces', '', '1:1 `interfaces`: is missing, expected a list of interfaces'],
    [
      'a link whose rate nobody knows',
      'interfaces:\n  - name: nowhere7\n',
      '2:5 `interfaces[0]`: `bandwidth` is needed: the driver of `nowhere7` does not say what the link carries',
    ],
    [
      'a rate without sense',
      'interfaces:\n  - { name: wan0, bandwidth: fast }\n',
      '2:30 `interfaces[0].bandwidth`: expected a rate as `100Mbit/s` or `64kbit/s`, got `"fast"`',
    ],
    [
      'more reservable than there is',
      'interfaces:\n  - { name: wan0, bandwidth: 10M, reservable: 20M }\n',
      '2:5 `interfaces[0]`: more is `reservable` than `bandwidth`',
    ],
    [
      'an interface twice',
      'interfaces:\n  - { name: a, bandwidth: 1M }\n  - { name: a, bandwidth: 1M }\n',
      '3:13 `interfaces[1].name`: `a` is there twice',
    ],
    ['a misspelt key', `${WAN}polcy: cops\n`, '2:1 unknown key `polcy`; did you mean `policy`?'],
    [
      'policy without its section',
      `${WAN}policy: cops\n`,
      '2:9 `policy`: `policy: cops` needs the section `cops`',
    ],
    [
      'a fall-back without its section',
      `${WAN}policy: cops\ncops: { pdps: [{ host: a }], fallback: local }\n`,
      '3:40 `cops.fallback`: `fallback: local` needs the section `local`',
    ],
    [
      'a file of the own policy that is not there, at its place',
      `${WAN}policy: local\nlocal:\n  policy: { files: [none.kn] }\n`,
      '4:21 `local.policy.files[0]`: cannot read `none.kn`: no such file or directory, open',
    ],
    [
      'a route that is no key, at its interface',
      'interfaces:\n  - { name: wan0, bandwidth: 1M, route: missing.pub }\npolicy: local\nlocal: {}\n',
      '2:41 `interfaces[0].route`: cannot read `missing.pub`: no such file or directory, open',
    ],
    [
      'two INTEGRITY keys with one id',
      'interfaces:\n  - name: wan0\n    bandwidth: 1M\n    integrity:\n      keys: [{ id: 1, secret: a }, { id: 1, secret: b }]\n',
      '5:13 `interfaces[0].integrity.keys`: two keys have the id 000000000001',
    ],
    [
      'a key without a secret',
      'interfaces:\n  - name: wan0\n    bandwidth: 1M\n    integrity:\n      keys: [{ id: 1 }]\n',
      '5:14 `interfaces[0].integrity.keys[0]`: expected either `secret` or `secretFile`',
    ],
    [
      'a secret of a policy server without its id',
      `${WAN}policy: cops\ncops:\n  pdps: [{ host: a, secret: b }]\n`,
      '4:10 `cops.pdps[0]`: expected `keyId` together with `secret` or `secretFile`',
    ],
  ] as const)
    it(what, () =>
      assert.deepEqual(
        problems(source).map((line) => line.replace(/open '.*'$/, 'open')),
        expected,
      ),
    );

  it('says what an interface can do, in octets a second and microseconds', () => {
    const config = parseRouterConfig(
      'router.yaml',
      `interfaces:
  - { name: a, bandwidth: 100Mbit/s, latency: 5ms, udp: true, nonRsvp: true }
  - { name: b, bandwidth: 8kbit/s, reservable: 4kbit/s, refreshReduction: false }
  - { name: c, rsvp: false }
`,
    );
    const settings = nodeSettings(config);
    assert.deepEqual(settings.get('a'), {
      bandwidth: 12_500_000,
      reservable: 9_375_000,
      latency: 5000,
      isBroken: true,
      udp: true,
      exchange: { refreshReduction: 'learned' },
    });
    assert.deepEqual(
      [settings.get('b')?.reservable, settings.get('b')?.exchange],
      [500, { refreshReduction: 'off' }],
    );
    assert.equal(settings.get('c'), undefined);
  });

  it('has keys with lifetimes for both directions (RFC 2747 5.2)', () => {
    const config = parseRouterConfig(
      'router.yaml',
      `interfaces:
  - name: a
    bandwidth: 1M
    integrity: { handshake: required, keys: [{ id: 258, secret: s, notBefore: '2026-01-01T00:00:00Z', neighbour: 10.0.0.1 }] }
`,
    );
    const integrity = nodeSettings(config).get('a')?.exchange?.integrity;
    assert.equal(integrity?.handshake, 'required');
    assert.equal(integrity.send, integrity.receive);
    assert.deepEqual(integrity.send?.keys, [
      {
        id: '000000000102',
        secret: Buffer.from('s'),
        algorithm: 'hmac-md5',
        neighbour: '10.0.0.1',
        from: Date.UTC(2026, 0, 1),
      },
    ]);
  });

  it('names links for conditions: as it says, or as the interface is called', () => {
    const config = parseRouterConfig(
      fixturePath('story/router.yaml'),
      'interfaces: [{ name: a, bandwidth: 1M, link: Dublin-NYC, route: keys/route.pub }, { name: b, bandwidth: 1M }]\nlocal: {}\n',
    );
    assert.deepEqual([linkNameOf(config, 'a'), linkNameOf(config, 'b')], ['Dublin-NYC', 'b']);
    assert.deepEqual(
      paymentConfig(config)?.links.map(({ name, route }) => [name, route]),
      [
        ['Dublin-NYC', 'keys/route.pub'],
        ['b', undefined],
      ],
    );
  });
});

describe('bandex router', () => {
  it('checks a configuration, prints its schema, and says where it is wrong', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bandex-router-'));
    try {
      const file = join(folder, 'router.yaml');
      writeFileSync(file, WAN);
      assert.deepEqual(bandex(['router', '--config', file, '--check', '--json']).lines, [
        JSON.stringify({ config: file, ok: true }),
      ]);
      writeFileSync(file, 'interfaces: 3\n');
      const wrong = bandex(['router', '--config', file, '--check']);
      assert.deepEqual(
        [wrong.code, wrong.err],
        [3, `bandex: ${file}:1:13: \`interfaces\`: expected a list of interfaces, got \`3\`\n`],
      );
      const schema = JSON.parse(bandex(['router', '--schema']).out) as { properties: object };
      assert.ok('interfaces' in schema.properties);
      assert.equal(bandex(['router']).code, 64);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('has a unit for systemd that checks the configuration first and takes two capabilities', () => {
    const unit = readFileSync(fixturePath('systemd/bandex-router.service'), 'utf8');
    for (const line of [
      'ExecStartPre=/usr/bin/bandex router --config /etc/bandex/router.yaml --check',
      'CapabilityBoundingSet=CAP_NET_RAW CAP_NET_ADMIN',
      'ProtectSystem=strict',
      'RuntimeDirectory=bandex',
    ])
      assert.ok(unit.split('\n').includes(line), line);
  });
});
