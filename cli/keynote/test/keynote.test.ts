import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fixturePath, readJsonFixture } from '../../../fixtures/index.js';

const MAIN = fileURLToPath(new URL('../../main.js', import.meta.url));

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function keynote(args: readonly string[], input = ''): Outcome {
  return spawnSync(process.execPath, [MAIN, 'keynote', ...args], { encoding: 'latin1', input });
}

describe('bandex keynote', () => {
  let folder = '';
  const at = (name: string): string => join(folder, name);

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'bandex-keynote-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('keygen keeps the private key to its owner, and does not replace one', () => {
    const { status, stdout } = keynote(['keygen', at('isp.key')]);
    assert.equal(status, 0);
    assert.match(stdout, /^ed25519-base64:[A-Za-z0-9+/]{43}=\n$/);
    assert.equal(statSync(at('isp.key')).mode & 0o777, 0o600);
    assert.equal(readFileSync(at('isp.key.pub'), 'latin1'), `"${stdout.trimEnd()}"\n`);
    assert.equal(keynote(['keygen', at('isp.key')]).status, 1);
  });

  it('sign, verify and explain work together', () => {
    const isp = readFileSync(at('isp.key.pub'), 'latin1').trimEnd();
    writeFileSync(at('policy'), `Authorizer: "POLICY"\nLicensees: ${isp}\n`);
    writeFileSync(at('offer'), `Authorizer: ${isp}\nLicensees: "route"\nConditions: &amount < 0.56;\n`);
    const signed = keynote(['sign', at('offer'), '--key', at('isp.key')]);
    assert.equal(signed.status, 0, signed.stderr);
    writeFileSync(at('signed'), `${signed.stdout}\n${signed.stdout.replace('0.56', '0.57')}\nrubbish\n`);
    const verdicts = keynote(['verify', at('signed')]);
    assert.equal(verdicts.status, 2);
    assert.deepEqual(
      verdicts.stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split(' ')[0]),
      ['verified', 'failed', 'syntax'],
    );
    assert.match(verdicts.stderr, /signed:11:1: .*\n11 \| rubbish\n {3}\| \^/);

    writeFileSync(at('signed'), signed.stdout);
    const request = ['-p', at('policy'), '-c', at('signed'), '-r', 'route'];
    const granted = keynote(['query', ...request, '-a', 'amount=0.50']);
    assert.deepEqual(JSON.parse(granted.stdout), { id: 0, value: 'true' });
    const refused = keynote(['explain', ...request, '-a', 'amount=0.60']);
    assert.match(refused.stdout, /amount 0\.60 is not < 0\.56, line 3, in the credential by ed25519:/);
    const json = keynote(['explain', '--json', ...request, '-a', 'amount=0.60']);
    assert.equal((JSON.parse(json.stdout) as { value: string }).value, 'false');
  });

  it('query answers a file of recorded queries a line each, and gives errors their names', () => {
    const vectors = readJsonFixture('vectors/keynote/vectors.json') as {
      id: string;
      expect: { value?: string; error?: string };
      deviates?: string;
    }[];
    const { status, stdout } = keynote(['query', fixturePath('vectors/keynote/vectors.json')]);
    assert.equal(status, 0);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string; value?: string; error?: string; message?: string });
    assert.deepEqual(
      lines.map(({ id }) => id),
      vectors.map(({ id }) => id),
    );
    lines.forEach(({ value, error, message }, i) => {
      const vector = vectors[i]!;
      if (vector.deviates !== undefined) return;
      assert.deepEqual(
        { value, error },
        { value: vector.expect.value, error: vector.expect.error },
        vector.id,
      );
      assert.equal(message === undefined, error === undefined);
    });
  });

  it('query takes one query from stdin, and says what in it has the wrong shape', () => {
    const one = keynote(
      ['query', '-'],
      JSON.stringify({ id: 'x', policy: ['Authorizer: "POLICY"\n'], authorizers: ['a'] }),
    );
    assert.deepEqual(JSON.parse(one.stdout), { id: 'x', value: 'true' });
    const wrong = keynote(['query', '-'], JSON.stringify([{ policy: [7] }]));
    assert.equal(wrong.status, 3);
    assert.match(wrong.stderr, /0\.policy\.0/);
  });

  it('fmt prints the usual layout, keeps comments and signed text, and draws mistakes', () => {
    const { stdout } = keynote(
      ['fmt', '-'],
      '# mine\n\n\nauthorizer:  "a"\n\nAuthorizer: "b" # why\nSignature:   "x"\n',
    );
    assert.equal(stdout, '# mine\n\nAuthorizer: "a"\n\nAuthorizer: "b" # why\nSignature:   "x"\n');
    const broken = keynote(['fmt', '-'], 'Authorizer: "a"\n\nAuthorizer: "b"\nConditions: @x < ;\n');
    assert.equal(broken.status, 3);
    assert.match(
      broken.stderr,
      /standard input:4:18: expected an expression, found `;`\n4 \| Conditions: @x < ;\n {2}\| {18}\^/,
    );
  });

  it('a wrong command line is exit code 64', () => {
    assert.equal(keynote(['sign', 'x']).status, 64);
    assert.equal(keynote(['query', 'x', '--algorithms', 'best']).status, 64);
  });
});
