import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { COMMANDS } from '../commands.js';

const CLI = fileURLToPath(new URL('../main.js', import.meta.url));
const bandex = (...args: string[]): string =>
  execFileSync(process.execPath, [CLI, ...args], { encoding: 'utf8' });

/** What bash offers after these words. */
function complete(...words: string[]): string[] {
  const script = `${bandex('completion', 'bash')}
COMP_WORDS=(bandex ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _bandex; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split('\n');
}

describe('bandex completion', () => {
  it('knows every command, its sub-commands and its options in bash', () => {
    assert.deepEqual(
      complete('')
        .filter((word) => !word.startsWith('-'))
        .sort(),
      Object.keys(COMMANDS).sort(),
    );
    assert.deepEqual(complete('keynote', 'qu'), ['query']);
    assert.deepEqual(complete('offer', '--ban'), ['--bandwidth']);
    assert.deepEqual(complete('offer', '--price', '0.44', '--li'), ['--link']);
  });

  it('writes scripts that zsh and fish have lines for every command in', () => {
    const fish = bandex('completion', 'fish');
    for (const name of Object.keys(COMMANDS)) assert.match(fish, new RegExp(` -a ${name} `));
    assert.match(bandex('completion', 'zsh'), /^#compdef bandex/);
  });
});

describe('bandex --help', () => {
  it('has examples for every command', function () {
    // A process each, on a machine that may be busy with other tests.
    this.timeout(120_000);
    for (const name of Object.keys(COMMANDS)) {
      const help = bandex(name, '--help');
      assert.match(name === 'keynote' ? bandex(name, 'query', '--help') : help, /Examples?:/, name);
    }
  });

  it('is what `bandex help COMMAND` prints', () => {
    assert.equal(bandex('help', 'decode'), bandex('decode', '--help'));
  });

  it('ends with 64 for a command line that is wrong, and says so on stderr', () => {
    for (const args of [['nonsense'], ['decode', '--nonsense'], ['offer']]) {
      const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8' });
      assert.equal(status, 64, args.join(' '));
      assert.equal(stdout, '');
      assert.match(stderr, /^error: /);
    }
  });
});
