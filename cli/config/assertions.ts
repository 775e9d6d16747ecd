import { dirname, join } from 'node:path';
import { parseAssertions } from '../../policy/keynote/index.js';
import type { Assertion, KeyNoteSyntaxError } from '../../policy/keynote/index.js';
import { CliError, EXIT } from '../exit.js';
import type { ConfigFile } from './load.js';

/** The assertions of a configuration's `policy`; throws `CliError` with the place of what is wrong. */
export function policyAssertions(
  config: ConfigFile & {
    readonly policy: { readonly files: readonly string[]; readonly assertions: string };
  },
): Assertion[] {
  const { files, assertions } = config.policy;
  return [
    ...files.flatMap((name, i) =>
      parsed(join(dirname(config.file), name), config.read(['policy', 'files', i], name).toString('latin1')),
    ),
    ...parsed(`${config.file}: \`policy.assertions\``, assertions),
  ];
}

function parsed(where: string, text: string): Assertion[] {
  return parseAssertions(text).map((paragraph) => {
    if ('error' in paragraph) throw badAssertion(where, paragraph.line, paragraph.error);
    const [fault] = paragraph.assertion.faults;
    if (fault !== undefined) throw badAssertion(where, paragraph.line, fault);
    return paragraph.assertion;
  });
}

function badAssertion(where: string, line: number, error: KeyNoteSyntaxError): CliError {
  return new CliError(
    `${where}:${line + error.line - 1}:${error.column}: ${error.message}\n${error.drawing}`,
    EXIT.invalid,
  );
}
