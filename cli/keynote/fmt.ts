import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { formatAssertion, KeyNoteSyntaxError, parseAssertion } from '../../policy/keynote/index.js';
import { EXIT } from '../exit.js';
import { say } from '../terminal.js';
import { invalid, readText, shownName } from './files.js';

interface Options {
  readonly write?: true;
  readonly check?: true;
  readonly dropSignatures?: true;
}

export function formatCommand(): Command {
  return new Command('fmt')
    .description('Print assertions in the usual layout.')
    .argument('<file...>', 'assertions, separated by blank lines; - is stdin')
    .option('-w, --write', 'change the files instead of printing them')
    .option('--check', 'print nothing; exit code 2 if a file is not in the usual layout')
    .option('--drop-signatures', 'format signed assertions too; their signatures are left out')
    .addHelpText(
      'after',
      `
A signature is over the text as it stands: a signed assertion is left as it is, unless its signature may go.

Examples:
  bandex keynote fmt policy.txt
  bandex keynote fmt --check policy.txt`,
    )
    .action(async (files: readonly string[], options: Options) => {
      for (const file of files) await formatFile(file, options);
    });
}

async function formatFile(file: string, options: Options): Promise<void> {
  const text = await readText(file);
  const formatted = formatText(file, text, options.dropSignatures === true);
  if (options.check === true) {
    if (formatted === text) return;
    say(`${shownName(file)} is not in the usual layout`);
    process.exitCode = EXIT.refused;
  } else if (options.write === true && file !== '-') {
    if (formatted !== text) writeFileSync(file, formatted, 'latin1');
  } else {
    process.stdout.write(Buffer.from(formatted, 'latin1'));
  }
}

/** Comments between assertions stay. */
function formatText(file: string, text: string, dropSignatures: boolean): string {
  const paragraphs: string[] = [];
  let line = 0;
  for (const part of text.split(/(\n\n+)/)) {
    const content = part.replace(/^\n+/, '').trimEnd();
    if (content !== '') {
      const before = line + (part.length - part.replace(/^\n+/, '').length);
      paragraphs.push(formatParagraph(file, content, before, dropSignatures));
    }
    line += part.split('\n').length - 1;
  }
  return paragraphs.length === 0 ? '' : `${paragraphs.join('\n\n')}\n`;
}

function formatParagraph(
  file: string,
  content: string,
  linesBefore: number,
  dropSignatures: boolean,
): string {
  if (content.split('\n').every((row) => row.startsWith('#'))) return content;
  try {
    const assertion = parseAssertion(`${content}\n`);
    if (assertion.fields.has('Signature') && !dropSignatures) {
      say(`${shownName(file)}:${linesBefore + 1}: signed, left as it is`);
      return content;
    }
    return formatAssertion(assertion).trimEnd();
  } catch (error) {
    if (error instanceof KeyNoteSyntaxError) throw invalid(file, error.inFile(linesBefore));
    throw error;
  }
}
