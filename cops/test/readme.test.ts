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
