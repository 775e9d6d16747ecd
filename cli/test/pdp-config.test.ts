import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fixturePath } from '../../fixtures/index.js';
import { ConfigError } from '../config/load.js';
import { loadConfig, parseConfig } from '../pdp/load.js';
import { durationMillis, octetCount } from '../config/duration.js';
import { matchesGlob } from '../pdp/glob.js';
import { LinkTable } from '../pdp/links.js';
import { configReference } from '../pdp/reference.js';
import { routerReference } from '../router/reference.js';
import { checkConfig } from '../pdp/service.js';
import { bandex } from './run.js';

/** What is wrong with a configuration, as `line:column message`. */
function problems(source: string): string[] {
  try {
    checkConfig(parseConfig('pdp.yaml', source));
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
  }
  return [];
}

describe('the configuration of a PDP', () => {
  it('may be empty: everything has a default', () => assert.deepEqual(problems(''), []));

  for (const [what, source, ...expected] of [
    ['an unknown key', 'keepalive: 30s\n', '1:1 unknown key `keepalive`; did you mean `keepAlive`?'],
    [
      'an unknown key deep inside',
      'policy:\n  limits:\n    credential: 3\n',
      '3:5 unknown key `credential` in `policy.limits`; did you mean `credentials`?',
    ],
    [
      'an unknown key that resembles none',
      'metrics:\n  url: x\n',
      '2:3 unknown key `url` in `metrics`; expected one of address, port',
    ],
    [
      'a number out of range',
      'listen:\n  - port: 70000\n',
      '2:11 `listen[0].port`: expected a whole number up to 65535, got `70000`',
    ],
    ['a wrong type', 'listen: 3288\n', '1:9 `listen`: expected a list of listeners, got `3288`'],
    [
      'a misspelt choice',
      'policy: { algorithms: modem }\n',
      '1:23 `policy.algorithms`: expected `modern` or `classic`, got `"modem"`; did you mean `modern`?',
    ],
    [
      'a duration without a unit',
      'keepAlive: 30\n',
      '1:12 `keepAlive`: expected a duration as `30s` (ms, s, m, h, d), got `30`',
    ],
    ['a missing value', 'links:\n  - ifIndex: 1\n', '2:5 `links[0].name`: is missing, expected text'],
    [
      'a link without an interface',
      'links:\n  - name: a\n',
      '2:5 `links[0]`: expected `ifIndex`, `address` or both',
    ],
    [
      'a TLS port without a certificate',
      'listen:\n  - tls: true\n',
      '2:10 `listen[0].tls`: a TLS port needs `tls` with a certificate and a key',
    ],
    ['a key twice', 'links: []\nlinks: []\n', '2:1 map keys must be unique'],
    [
      'two mistakes, each at its place',
      'x: 1\nlog:\n  level: loud\n',
      '1:1 unknown key `x`; expected one of listen, tls, integrity, keepAlive, limits, policy, store, clearing, quarantine, links, log, metrics',
      '3:10 `log.level`: expected `debug`, `info`, `warn`, `error` or `silent`, got `"loud"`',
    ],
    [
      'a file that is not there',
      'policy:\n  files: [missing.kn]\n',
      '2:11 `policy.files[0]`: cannot read `missing.kn`: no such file or directory, open',
    ],
    ['a key that is none', 'policy:\n  route: rsa-hex:xyz\n', '2:10 `policy.route`:'],
  ] as const) {
    it(`says where ${what} is`, () => {
      const found = problems(source);
      assert.equal(found.length, expected.length, found.join('\n'));
      found.forEach((problem, i) => assert.ok(problem.startsWith(expected[i] ?? ''), problem));
    });
  }

  it('says line and column of a mistake in a policy file, with the line and a caret', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bandex-'));
    try {
      writeFileSync(join(folder, 'policy.kn'), 'Authorizer: "POLICY"\nConditions: a == ;\n');
      writeFileSync(join(folder, 'pdp.yaml'), 'policy: { files: [policy.kn] }\n');
      const { code, err } = bandex(['pdp', '--check', '--config', join(folder, 'pdp.yaml')]);
      assert.equal(code, 3);
      assert.match(err, /policy\.kn:2:18: /);
      assert.match(err, /\n2 \| Conditions: a == ;\n/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is checked by `bandex pdp --check`: 0 for a good one, 3 for a bad one', () => {
    assert.equal(bandex(['pdp', '--check', '-c', fixturePath('story/pdp.yaml')]).code, 0);
    const folder = mkdtempSync(join(tmpdir(), 'bandex-'));
    try {
      const file = join(folder, 'pdp.yaml');
      writeFileSync(file, 'listen:\n  - prot: 1\n');
      const { code, err } = bandex(['pdp', '--check', '-c', file]);
      assert.deepEqual(
        [code, err],
        [3, `bandex: ${file}:2:5: unknown key \`prot\` in \`listen[0]\`; did you mean \`port\`?\n`],
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is documented from its schema: CONFIGURATION.md is up to date', () => {
    const page = fileURLToPath(new URL('../../../cli/CONFIGURATION.md', import.meta.url));
    assert.equal(
      readFileSync(page, 'utf8'),
      `${configReference()}\n${routerReference()}`,
      'run `npm run docs`',
    );
  });

  it('of the story is good, in both forms', () => {
    for (const name of ['story/pdp.yaml', 'story/classic/pdp.yaml'])
      checkConfig(loadConfig(fixturePath(name)));
  });
});

describe('quantities of a configuration', () => {
  it('are durations with a unit', () => {
    assert.deepEqual(
      ['500ms', '30s', '5m', '2h', '1d'].map(durationMillis),
      [500, 30_000, 300_000, 7_200_000, 86_400_000],
    );
    for (const text of ['', '30', 's', '-1s', '1.5s', '1 s', '1S'])
      assert.equal(durationMillis(text), undefined, text);
  });

  it('are octets with a binary unit or none', () => {
    assert.deepEqual(['1', '64KiB', '4MiB', '1GiB'].map(octetCount), [1, 65_536, 4_194_304, 1_073_741_824]);
    for (const text of ['', '64kb', '-1', '1e3', 'KiB']) assert.equal(octetCount(text), undefined, text);
  });

  it('are patterns where * stands for any text', () => {
    const yes = [
      ['*', ''],
      ['a*', 'a'],
      ['a*', 'abc'],
      ['*c', 'abc'],
      ['a*c', 'ac'],
      ['a*b*c', 'axxbyyc'],
      ['abc', 'abc'],
    ] as const;
    const no = [
      ['a', 'b'],
      ['a*', 'ba'],
      ['a*a', 'a'],
      ['a*b*c', 'acb'],
      ['*b*', 'aac'],
      ['', 'a'],
    ] as const;
    for (const [pattern, name] of yes) assert.ok(matchesGlob(pattern, name), `${pattern} ${name}`);
    for (const [pattern, name] of no) assert.ok(!matchesGlob(pattern, name), `${pattern} ${name}`);
  });

  it('match a hostile pattern in linear time', () => {
    assert.ok(!matchesGlob('a*'.repeat(1000) + 'b', 'a'.repeat(100_000)));
  });
});

describe('links of a configuration', () => {
  const { links } = parseConfig(
    'pdp.yaml',
    `links:
  - { name: one, ifIndex: 1, pep: 'edge-*' }
  - { name: net, address: 10.0.0.0/8 }
  - { name: six, address: '2001:db8::/32' }`,
  );
  const table = new LinkTable(links);
  const name = (pep: string, address: string, ifindex: number): string | undefined =>
    table.find(pep, { address, ifindex }, undefined)?.name;

  it('are found by ifIndex, address and PEPID, the first that matches', () => {
    assert.equal(name('edge-1', '10.0.0.1', 1), 'one');
    assert.equal(name('core-1', '10.0.0.1', 1), 'net');
    assert.equal(name('core-1', '2001:db8::1', 1), 'six');
    assert.equal(name('core-1', '192.0.2.1', 1), undefined);
  });

  it('are those of the In-Interface, and of the Out-Interface only where there is none', () => {
    assert.equal(
      table.find('p', { address: '192.0.2.1', ifindex: 5 }, { address: '10.0.0.1', ifindex: 2 }),
      undefined,
    );
    assert.equal(table.find('p', undefined, { address: '10.0.0.1', ifindex: 2 })?.name, 'net');
    assert.equal(table.find('p', undefined, undefined), undefined);
  });
});
