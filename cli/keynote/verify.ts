import { Command } from 'commander';
import { parseAssertions, parsePrincipal, verifyAssertion } from '../../policy/keynote/index.js';
import type { AlgorithmChoice, Paragraph, Verdict } from '../../policy/keynote/index.js';
import { CliError, EXIT } from '../exit.js';
import { painter, print, say } from '../terminal.js';
import { algorithmsOption, describeSyntaxError, readText, shownName } from './files.js';

interface Options {
  readonly algorithms: AlgorithmChoice;
  readonly json?: true;
}

export function verifyCommand(): Command {
  return new Command('verify')
    .description('Check the signatures of the assertions in files: verified, failed or syntax, one a line.')
    .argument('<file...>', 'assertions, separated by blank lines; - is stdin')
    .addOption(algorithmsOption())
    .option('--json', 'one JSON object a line')
    .addHelpText(
      'after',
      `
Exit code 2 if an assertion is not verified.

Examples:
  bandex keynote verify credentials.txt
  bandex keynote verify --algorithms modern - < credential.txt`,
    )
    .action(async (files: readonly string[], options: Options) => {
      for (const file of files) await verifyFile(file, options);
    });
}

async function verifyFile(file: string, options: Options): Promise<void> {
  const paragraphs = parseAssertions(await readText(file));
  if (paragraphs.length === 0) throw new CliError(`${shownName(file)}: there is no assertion`, EXIT.invalid);
  const paint = painter(process.stdout);
  for (const paragraph of paragraphs) {
    const { verdict, reason } = judge(paragraph, options.algorithms);
    const author = authorOf(paragraph);
    if (verdict !== 'verified') process.exitCode = EXIT.refused;
    if (options.json === true) {
      print(JSON.stringify({ file, line: paragraph.line, verdict, reason, authorizer: author }));
      continue;
    }
    const by = author === undefined ? '' : `, by ${author}`;
    const shown = paint(verdict === 'verified' ? 'green' : 'red', verdict.padEnd(8));
    print(`${shown}  ${shownName(file)}:${paragraph.line}  ${reason}${by}`);
    if ('error' in paragraph) say(describeSyntaxError(file, paragraph.error.inFile(paragraph.line - 1)));
  }
}

function judge(paragraph: Paragraph, algorithms: AlgorithmChoice): Verdict {
  if (!('error' in paragraph)) return verifyAssertion(paragraph.assertion, { algorithms });
  return { verdict: 'syntax', reason: paragraph.error.inFile(paragraph.line - 1).located };
}

function authorOf(paragraph: Paragraph): string | undefined {
  if ('error' in paragraph || paragraph.assertion.authorizer?.kind !== 'literal') return undefined;
  try {
    return parsePrincipal(paragraph.assertion.authorizer.value).fingerprint;
  } catch {
    return undefined;
  }
}
