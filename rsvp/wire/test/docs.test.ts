import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { supportTable } from '../index.js';

const page = (name: string): string =>
  readFileSync(new URL(`../../../../rsvp/${name}`, import.meta.url), 'utf8');

describe('the pages about the wire format', () => {
  it('SUPPORT.md is what the declarations say (`npm run docs` writes it)', () => {
    assert.equal(page('wire/SUPPORT.md'), supportTable());
  });

  it('the first block of the README runs and prints the block behind it', async () => {
    const [, code = '', output = ''] = /```ts\n(.*?)```\n\n```text\n(.*?)```/s.exec(page('README.md')) ?? [];
    const library = new URL('../../index.js', import.meta.url).href;
    const lines: string[] = [];
    const body = code
      .replace(/import (\{.*?\}) from 'bandex\/rsvp';/, `const $1 = await import('${library}');`)
      .replaceAll('console.log(', 'print(');
    const source = `export async function run(print) {${body}}`;
    const { run } = (await import(`data:text/javascript,${encodeURIComponent(source)}`)) as {
      run: (print: (value: unknown) => void) => Promise<void>;
    };
    await run((value) => lines.push(String(value)));
    assert.equal(`${lines.join('\n')}\n`, output);
  });
});
