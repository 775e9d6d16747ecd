import { Command } from 'commander';
import { LineWriter } from '../terminal.js';
import { answer, readRequests, REQUEST_HELP, withRequestOptions } from './request.js';
import type { RequestOptions } from './request.js';

export function queryCommand(): Command {
  const command = new Command('query').description(
    'Answer queries: {"id", "value"} a line, or {"id", "error", "message"} where there is no answer.',
  );
  return withRequestOptions(command)
    .addHelpText(
      'after',
      `${REQUEST_HELP}

Errors: parse (an assertion is none), authorizer, attribute, query. An assertion with a mistake inside
a field takes no part in the answer; \`bandex keynote explain\` says so.

Examples:
  bandex keynote query queries.json
  bandex keynote query -p policy.txt -c credentials.txt -r @alice.key.pub -a app_domain=BandEx`,
    )
    .action(async (file: string | undefined, options: RequestOptions) => {
      const output = new LineWriter();
      for (const [i, request] of (await readRequests(file, options)).entries()) {
        const id = request.id ?? i;
        const result = answer(request, options);
        const line =
          'error' in result
            ? { id, error: result.error, message: result.message }
            : { id, value: result.value };
        await output.line(JSON.stringify(line));
      }
      await output.flush();
    });
}
