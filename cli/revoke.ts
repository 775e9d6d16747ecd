import Table from 'cli-table3';
import { Command } from 'commander';
import { existsSync, readFileSync } from 'node:fs';
import {
  KeyNoteSyntaxError,
  parseAssertion,
  parseAssertions,
  signAssertion,
} from '../policy/keynote/index.js';
import type { Principal } from '../policy/keynote/index.js';
import { nameOf, readStatement, revocationStatement, subjectOf } from '../policy/payment/index.js';
import type { Revocation, RevocationRecord } from '../policy/payment/index.js';
import { principal, privateKey } from './credentials/keys.js';
import { CliError, EXIT } from './exit.js';
import { loadConfig } from './pdp/load.js';
import type { LoadedConfig } from './pdp/load.js';
import { revocationOptions } from './pdp/policy.js';
import { withBooks } from './pdp/till.js';
import { hasColour, print, say } from './terminal.js';

interface Options {
  readonly config?: string;
  readonly key?: string;
  readonly reason?: string;
  readonly statement?: string;
  readonly appDomain: string;
  readonly print?: true;
  readonly list?: true;
  readonly json?: true;
}

export function command(): Command {
  return new Command('revoke')
    .description('Revoke a key, or one credential: what it paid for is taken back.')
    .argument('[subject]', 'a file with a credential, a file with a key, or a key as text')
    .option('-c, --config <file>', 'configuration of the policy server whose database is told')
    .option('--key <file>', 'private key of whoever revokes')
    .option('--reason <text>', 'why: goes into the statement, the log and to the terminals')
    .option('--print', 'print the signed statement, and store nothing')
    .option('--app-domain <name>', 'with --print and no --config: what app_domain is', 'Band-X')
    .option('--statement <file>', 'store a statement that was printed elsewhere; - is stdin')
    .option('--list', 'list what is revoked')
    .option('--json', 'as JSON, an object a line')
    .addHelpText('after', HELP)
    .action(async (subject: string | undefined, options: Options) => {
      process.exitCode = await revoke(subject, options);
    });
}

const HELP = `
Whoever wrote a credential may revoke it, and a key may revoke itself; anybody else needs the policy's leave: an assertion about
the app_domain \`Band-X-revocation\`, in which conditions can ask for \`subject\` and \`author\`. Every policy server of the
database knows within a second, judges what it granted again, and takes back what does not hold any more. The exit code is 2
if the policy does not let the signer revoke.

Examples:
  bandex revoke authorization --config pdp.yaml --key martha.key --reason 'account closed'
  bandex revoke alice.key.pub --config pdp.yaml --key alice.key --reason 'key lost'
  bandex revoke authorization --key martha.key --print | ssh nick bandex revoke --config pdp.yaml --statement - authorization
  bandex revoke --config pdp.yaml --list`;

async function revoke(subject: string | undefined, options: Options): Promise<number> {
  if (options.list === true) return list(options);
  const about = subject === undefined ? undefined : subjectAt(subject);
  if (options.statement === undefined && (about === undefined || options.key === undefined))
    throw new CliError('revoke: a subject and --key, or --statement, are needed', EXIT.usage);
  const config = options.config === undefined ? undefined : loadConfig(options.config);
  const text =
    options.statement === undefined ? sign(about as Subject, config, options) : read(options.statement);
  if (options.print === true) {
    process.stdout.write(text);
    return EXIT.ok;
  }
  return store(needed(config), { text, about: about?.assertion, at: Date.now() }, options);
}

type Subject = { readonly name: string; readonly assertion: string | undefined };

/** A file with an assertion, or a key. */
function subjectAt(subject: string): Subject {
  if (existsSync(subject)) {
    const text = readFileSync(subject, 'latin1');
    if (/^authorizer\s*:/im.test(text)) return assertionOf(subject, text);
  }
  return { name: principal(subject).toText('base64'), assertion: undefined };
}

function assertionOf(file: string, text: string): Subject {
  const [first, ...more] = parseAssertions(text);
  if (first === undefined || more.length > 0)
    throw new CliError(`${file}: expected one credential`, EXIT.invalid);
  if ('error' in first)
    throw new CliError(`${file}: ${first.error.message}\n${first.error.drawing}`, EXIT.invalid);
  return { name: subjectOf(text), assertion: text };
}

function sign(subject: Subject, config: LoadedConfig | undefined, options: Options): string {
  const key = privateKey(options.key ?? '');
  const appDomain = config?.policy.appDomain ?? options.appDomain;
  const { reason } = options;
  const text = revocationStatement({
    from: key.principal.toText('base64'),
    subject: subject.name,
    appDomain,
    reason,
  });
  return signAssertion(text, key);
}

function read(file: string): string {
  const text = readFileSync(file === '-' ? 0 : file, 'latin1');
  try {
    parseAssertion(text);
  } catch (error) {
    if (!(error instanceof KeyNoteSyntaxError)) throw error;
    throw new CliError(`${file}: ${error.message}\n${error.drawing}`, EXIT.invalid);
  }
  return text;
}

async function store(config: LoadedConfig, record: RevocationRecord, options: Options): Promise<number> {
  const revocation = readStatement(record, revocationOptions(config));
  if (typeof revocation === 'string') {
    say(`bandex: not revoked: ${revocation}`);
    return EXIT.refused;
  }
  const isNew = await withBooks(config, (books) => books.revoke(record));
  if (options.json === true) print(JSON.stringify({ ...jsonOf(revocation), new: isNew }));
  else
    print(
      `${isNew ? 'revoked' : 'was revoked before'}: ${subjectText(revocation.subject, revocationOptions(config).names)}`,
    );
  return EXIT.ok;
}

async function list(options: Options): Promise<number> {
  const config = needed(options.config === undefined ? undefined : loadConfig(options.config));
  const rules = revocationOptions(config);
  const records = await withBooks(config, (books) => books.revocations());
  const all = records.map((record) => readStatement(record, rules));
  if (options.json === true) {
    for (const one of all) print(JSON.stringify(typeof one === 'string' ? { refused: one } : jsonOf(one)));
    return EXIT.ok;
  }
  const table = new Table({
    head: ['when', 'what', 'by', 'reason'],
    style: { head: hasColour(process.stdout) ? ['bold'] : [], border: [], compact: true },
  });
  for (const one of all) {
    if (typeof one === 'string') table.push(['', 'does not count', '', one]);
    else
      table.push([
        new Date(one.at).toISOString(),
        subjectText(one.subject, rules.names),
        nameOf(one.by, rules.names),
        one.reason ?? '',
      ]);
  }
  print(table.toString());
  return EXIT.ok;
}

function needed(config: LoadedConfig | undefined): LoadedConfig {
  if (config === undefined) throw new CliError('revoke: --config is missing', EXIT.usage);
  return config;
}

function subjectText(subject: Principal, names: ReadonlyMap<string, string>): string {
  return subject.isKey ? `the key of ${nameOf(subject, names)}` : subject.text;
}

function jsonOf({ subject, by, at, reason }: Revocation): object {
  return {
    subject: subject.toText('base64'),
    by: by.toText('base64'),
    at: new Date(at).toISOString(),
    ...(reason === undefined ? {} : { reason }),
  };
}
