import { Option } from 'commander';
import type { Command } from 'commander';
import { z } from 'zod';
import {
  KeyNoteQueryError,
  KeyNoteSyntaxError,
  parseAssertion,
  parsePublicKey,
  query,
  splitAssertions,
} from '../../policy/keynote/index.js';
import type { AlgorithmChoice, Answer, Assertion } from '../../policy/keynote/index.js';
import { CliError, EXIT } from '../exit.js';
import { algorithmsOption, readOctets, readText, shownName } from './files.js';

/** One query as it stands in a file. Strings hold octets: one character is one. */
const Request = z.object({
  id: z.union([z.string(), z.number()]).optional(),
  policy: z.array(z.string()).default([]),
  credentials: z.array(z.string()).default([]),
  authorizers: z.array(z.string()).default([]),
  values: z.array(z.string()).min(1).default(['false', 'true']),
  attributes: z.record(z.string(), z.string()).default({}),
});
const Requests = z.union([z.array(Request), Request.transform((request) => [request])]);

export type Request = z.infer<typeof Request>;

export interface RequestOptions {
  readonly algorithms: AlgorithmChoice;
  readonly integers: 'wrap' | 'refuse';
  readonly policy: readonly string[];
  readonly credentials: readonly string[];
  readonly requester: readonly string[];
  readonly attribute: readonly string[];
  readonly values: readonly string[];
  readonly json?: true;
}

export function withRequestOptions(command: Command): Command {
  const collect = (value: string, before: readonly string[]): string[] => [...before, value];
  return command
    .argument('[file]', 'queries in JSON, one or an array; - is stdin')
    .option('-p, --policy <file>', 'assertions that are trusted (may be repeated)', collect, [])
    .option(
      '-c, --credentials <file>',
      'assertions whose signatures are checked (may be repeated)',
      collect,
      [],
    )
    .option(
      '-r, --requester <principal>',
      'who requests the action: an identifier, or @FILE of a public key (may be repeated)',
      collect,
      [],
    )
    .option('-a, --attribute <name=value>', 'an action attribute (may be repeated)', collect, [])
    .option('--values <list>', 'compliance values, lowest first, with commas', (text) => text.split(','), [
      'false',
      'true',
    ])
    .addOption(algorithmsOption())
    .addOption(
      new Option('--integers <how>', 'integers beyond 32 bits: wrap as in C, or refuse: the test is false')
        .choices(['wrap', 'refuse'])
        .default('wrap'),
    );
}

export const REQUEST_HELP = `
A query in JSON:
  {"id": "1", "policy": ["..."], "credentials": ["..."], "authorizers": ["..."],
   "values": ["false", "true"], "attributes": {"app_domain": "BandEx"}}`;

export async function readRequests(file: string | undefined, options: RequestOptions): Promise<Request[]> {
  if (file === undefined) return [await requestFromOptions(options)];
  let json: unknown;
  try {
    json = JSON.parse((await readOctets(file)).toString('utf8'));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new CliError(`${shownName(file)}: this is no JSON: ${error.message}`, EXIT.invalid);
  }
  const requests = Requests.safeParse(json);
  if (requests.success) return requests.data;
  // The array's errors are the ones that say where.
  const shape = Array.isArray(json) ? z.array(Request).safeParse(json) : Request.safeParse(json);
  const [issue] = shape.error?.issues ?? [];
  throw new CliError(
    `${shownName(file)}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
    EXIT.invalid,
  );
}

async function requestFromOptions(options: RequestOptions): Promise<Request> {
  if (options.policy.length === 0) throw new CliError('give a file of queries, or a --policy', EXIT.usage);
  const assertions = async (files: readonly string[]): Promise<string[]> =>
    (await Promise.all(files.map(readText))).flatMap((text) =>
      splitAssertions(text).map(({ text: one }) => one),
    );
  const authorizers = await Promise.all(
    options.requester.map(async (name) =>
      name.startsWith('@') ? parsePublicKey(await readText(name.slice(1))).toText() : name,
    ),
  );
  const attributes = Object.fromEntries(
    options.attribute.map((pair) => {
      const equals = pair.indexOf('=');
      if (equals < 1) throw new CliError(`attribute \`${pair}\`: expected name=value`, EXIT.usage);
      return [pair.slice(0, equals), pair.slice(equals + 1)];
    }),
  );
  return {
    policy: await assertions(options.policy),
    credentials: await assertions(options.credentials),
    authorizers,
    values: [...options.values],
    attributes,
  };
}

export interface RequestError {
  readonly error: 'parse' | 'authorizer' | 'attribute' | 'query';
  readonly message: string;
  readonly drawing?: string;
}

/** The answer, or why there is none. */
export function answer(request: Request, options: RequestOptions): Answer | RequestError {
  const { authorizers, values, attributes } = request;
  try {
    const policy = parseList(request.policy, 'policy');
    const credentials = parseList(request.credentials, 'credential');
    const { algorithms, integers } = options;
    return query({ policy, credentials, authorizers, values, attributes, algorithms, integers });
  } catch (error) {
    if (error instanceof KeyNoteQueryError) return { error: error.kind, message: error.message };
    if (error instanceof ParseError)
      return { error: 'parse', message: error.message, drawing: error.drawing };
    throw error;
  }
}

class ParseError extends Error {
  constructor(
    message: string,
    readonly drawing: string,
  ) {
    super(message);
  }
}

function parseList(texts: readonly string[], list: string): Assertion[] {
  return texts.map((text, i) => {
    try {
      return parseAssertion(text);
    } catch (error) {
      if (!(error instanceof KeyNoteSyntaxError)) throw error;
      throw new ParseError(`${list} ${i + 1}, ${error.located}`, error.drawing);
    }
  });
}
