import { Command } from 'commander';
import { formatExplanation } from '../../policy/keynote/index.js';
import type { AssertionReport, Explanation, Failure, PrincipalReport } from '../../policy/keynote/index.js';
import { EXIT } from '../exit.js';
import { print, say } from '../terminal.js';
import { answer, readRequests, REQUEST_HELP, withRequestOptions } from './request.js';
import type { RequestOptions } from './request.js';

export function explainCommand(): Command {
  const command = new Command('explain').description(
    'Answer queries and say why: who licensed whom with what value, and what stood in the way.',
  );
  return withRequestOptions(command)
    .option('--json', 'one JSON object a line')
    .addHelpText(
      'after',
      `${REQUEST_HELP}

Exit code 3 if a query has no answer.

Examples:
  bandex keynote explain queries.json
  bandex keynote explain -p policy.txt -c credentials.txt -r @alice.key.pub -a app_domain=BandEx`,
    )
    .action(async (file: string | undefined, options: RequestOptions) => {
      for (const [i, request] of (await readRequests(file, options)).entries()) {
        const id = request.id ?? i;
        const result = answer(request, options);
        if ('error' in result) {
          process.exitCode = EXIT.invalid;
          const { error, message, drawing } = result;
          if (options.json === true) print(JSON.stringify({ id, error, message }));
          else say(`${id}: ${error}: ${message}${drawing === undefined ? '' : `\n${drawing}`}`);
        } else if (options.json === true) {
          print(JSON.stringify({ id, ...explanationJson(result.explanation) }));
        } else {
          print(`${id}: ${formatExplanation(result.explanation)}\n`);
        }
      }
    });
}

function explanationJson({ value, index, chain, failures, root }: Explanation): object {
  return {
    value,
    index,
    chain: chain.map(assertionJson),
    failures: failures.map(failureJson),
    tree: principalJson(root),
  };
}

function principalJson({ principal, assertions, ...rest }: PrincipalReport): object {
  return {
    principal: principal.text,
    fingerprint: principal.fingerprint,
    ...rest,
    assertions: assertions.map(assertionJson),
  };
}

function assertionJson({ authorizer, failures, principals, ...rest }: AssertionReport): object {
  return {
    ...rest,
    authorizer: authorizer.text,
    fingerprint: authorizer.fingerprint,
    failures: failures.map(failureJson),
    principals: principals.map(principalJson),
  };
}

function failureJson({ authorizer, ...rest }: Failure): object {
  return authorizer === undefined
    ? rest
    : { ...rest, authorizer: authorizer.text, fingerprint: authorizer.fingerprint };
}
