import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

interface Block {
  readonly language: string;
  readonly code: string;
  readonly line: number;
  readonly heading: string;
}

function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let heading = '';
  let open: { language: string; line: number; lines: string[] } | undefined;
  markdown.split('\n').forEach((text, i) => {
    const fence = /^```(\w*)/.exec(text);
    if (open !== undefined && fence === null) open.lines.push(text);
    else if (open !== undefined) {
      blocks.push({ language: open.language, line: open.line, code: open.lines.join('\n'), heading });
      open = undefined;
    } else if (fence !== null) open = { language: fence[1] ?? '', line: i + 1, lines: [] };
    else if (text.startsWith('#')) heading = text.replace(/^#+ /, '');
  });
  return blocks;
}

/** The two commands for a fresh machine: the first is run below with `--once`, the second is what runs this. */
const FRESH = ['npm ci && npm start', 'npm ci && npm test'];

/** A block that fails must not leave its servers behind. */
const END_JOBS = `trap 'kill $(jobs -p) 2>/dev/null || true' EXIT`;

describe('README', () => {
  const blocks = blocksOf(README);
  const runnable = blocks.filter(
    ({ language, code }) => ['sh', 'js'].includes(language) && !FRESH.includes(code.trim()),
  );
  let folder = '';

  before(() => {
    // A reader works in the checkout; the blocks leave files behind, so they get a place of their own.
    folder = mkdtempSync(join(tmpdir(), 'bandex-readme-'));
    cpSync(join(ROOT, 'fixtures'), join(folder, 'fixtures'), { recursive: true });
    writeFileSync(
      join(folder, 'bandex'),
      `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, 'dist/cli/main.js')}" "$@"\n`,
    );
    chmodSync(join(folder, 'bandex'), 0o755);
  });
  after(() => rmSync(folder, { recursive: true }));

  it('has blocks, each in a language that a test runs or that only shows', () => {
    assert.ok(runnable.length >= 5);
    for (const { language, line } of blocks)
      assert.ok(['sh', 'js', 'text'].includes(language), `line ${line}: ${language}`);
  });

  it('gives the two commands for a fresh machine, and .ci/run runs the second', () => {
    const fresh = blocks.map(({ code }) => code.trim()).filter((code) => FRESH.includes(code));
    assert.deepEqual(fresh, FRESH);
    // Each of the two as a command of its own, in this order: another version of Node has its turn between them.
    const script = readFileSync(join(ROOT, '.ci/run'), 'utf8').split('\n');
    const runs = [
      'npm ci 2>&1 | tee "$log/first" || status=1',
      'npm test 2>&1 | tee -a "$log/first" || status=1; fi',
    ];
    const [first, second] = runs.map((command) => script.findIndex((line) => line.endsWith(command)));
    assert.equal(script[first!], runs[0]);
    assert.equal(script[second!], `if [ "$status" = 0 ]; then ${runs[1]!}`);
    assert.ok(first! < second!);
  });

  it('`npm start` tells the story and ends well', function () {
    this.timeout(120_000);
    const ran = spawnSync('npm', ['start', '--', '--once'], {
      cwd: ROOT,
      encoding: 'utf8',
      timeout: 100_000,
    });
    assert.equal(ran.status, 0, `${ran.stdout}\n${ran.stderr}`);
    assert.match(ran.stdout, /amount 0\.60 is not < 0\.56/);
  });

  for (const { language, code, line, heading } of runnable) {
    it(`line ${line} runs: ${heading}`, function () {
      this.timeout(120_000);
      const env = {
        ...process.env,
        PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}`,
        NO_COLOR: '1',
      };
      // Beside package.json, so that `bandex/...` is this package.
      const script = join(ROOT, 'dist', `readme-${line}.mjs`);
      if (language === 'js') writeFileSync(script, code);
      const [program, args] =
        language === 'js'
          ? [process.execPath, [script]]
          : ['bash', ['-euo', 'pipefail', '-c', `${END_JOBS}\n${code}`]];
      const ran = spawnSync(program, args, { cwd: folder, env, encoding: 'utf8', timeout: 100_000 });
      if (language === 'js') rmSync(script);
      assert.equal(ran.status, 0, `${ran.stdout}\n${ran.stderr}`);
    });
  }
});
