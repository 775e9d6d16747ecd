import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

describe('cops/README.md', () => {
  it('has an example that runs as it stands and prints what it says', async () => {
    const readme = readFileSync(new URL('../../../cops/README.md', import.meta.url), 'utf8');
    const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? assert.fail('no example');
    // Beside this file, so that `bandex` means this package.
    const script = fileURLToPath(new URL('./readme.example.mjs', import.meta.url));
    writeFileSync(script, example);
    const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 20_000 });
    assert.equal(stdout, 'install\n');
  });
});

describe('cops/CONFORMANCE.md', () => {
  const folder = new URL('../../../cops/', import.meta.url);
  const table = readFileSync(new URL('CONFORMANCE.md', folder), 'utf8');

  it('names tests that exist', () => {
    const rows = [...table.matchAll(/^\| \d.*\| ([a-z0-9]+): (.+) \|$/gm)];
    assert.equal(rows.length, table.split('\n').filter((line) => /^\| \d/.test(line)).length);
    for (const [row, file = '', words = ''] of rows) {
      const source = readFileSync(new URL(`test/${file}.test.ts`, folder), 'utf8');
      const titles = [...source.matchAll(/\bit\(\s*(['"`])([\s\S]*?[^\\])\1,/g)].map(([, , title]) => title);
      assert.ok(
        titles.some((title) => title?.includes(words)),
        row,
      );
    }
  });
});
