import { z } from 'zod';
import { ACCOUNT_KINDS, isAccountName, isoScale, MAX_SCALE } from '../../policy/clearing/index.js';
import { address, count, duration, file, list, log, octets, port, text, yesOrNo } from '../config/fields.js';

/*
 * The clearing centre's configuration, declared once: what is accepted, the defaults, and the descriptions that
 * `bandex clear serve --schema` prints. An unknown key is an error everywhere.
 */

const object = z.strictObject;

const currency = z
  .string()
  .regex(/^[A-Z]{3}$/, 'expected a currency as `USD`')
  .meta({ description: 'Three capital letters.' });

const amount = z
  .string('expected an amount in quotes, as `"100.00"`')
  .regex(/^\d{1,12}(\.\d{1,6})?$/, 'expected an amount as `100.00`');

const SCALE = `expected how many decimals it has, 0 to ${MAX_SCALE}, or nothing for what ISO 4217 says`;

const principals = (description: string) =>
  list(text('A principal, or a file with one.'), 'principals', description);

const account = object({
  name: z
    .string('expected a name')
    .refine(isAccountName, 'expected letters, digits, `.`, `_` and `-`, 64 at most')
    .meta({
      description:
        'Names the account in statements and addresses; do not change it once something is booked.',
    }),
  kind: z.enum(ACCOUNT_KINDS, 'expected `isp`, `provider`, `bank` or `user`').meta({
    description: 'An `isp` deposits; a `provider` or a `bank` settles for whom it authorizes; a `user` pays.',
  }),
  keys: principals(
    'Its keys: what checks are payable to, or authorizations are signed by, and who may ask in its name.',
  ),
  limit: z
    .record(currency, amount, 'expected currencies with amounts')
    .default({})
    .meta({ description: 'The most that it may owe, by currency. Left out: without end.' }),
  frozen: yesOrNo('Nothing new is booked on it.').default(false),
});

const tls = object({
  certificate: file('Certificate chain, PEM.'),
  key: file('Private key, PEM.'),
  ca: file("Certificates of those who may sign clients' certificates, PEM.").optional(),
});

export const CLEAR_CONFIG = object({
  listen: object({
    address: address('Local address.').default('127.0.0.1'),
    port: port('TCP port; 0 takes a free one.').default(8443),
  })
    .prefault({})
    .meta({ description: 'Where ISPs and operators connect.' }),
  tls: tls.optional().meta({ description: 'Left out: plain HTTP, on a loopback address only.' }),
  store: text('An SQLite file, or `postgresql://user@host/database`.').default('clearing.db'),
  policy: object({
    files: list(file('A file.'), 'files', 'Files of KeyNote assertions, trusted without a signature.'),
    assertions: z
      .string('expected KeyNote assertions as text')
      .default('')
      .meta({ description: 'KeyNote assertions in place.' }),
    appDomain: text('What `app_domain` must be.').default('Band-X'),
    algorithms: z
      .enum(['modern', 'classic'], 'expected `modern` or `classic`')
      .default('modern')
      .meta({ description: 'Signatures that are accepted; `classic` accepts also those of RFC 2792.' }),
  })
    .prefault({})
    .meta({ description: 'Whose credit is trusted.' }),
  accounts: list(account, 'accounts', 'Who is known. Users get an account of their own when they first pay.'),
  currencies: z
    .record(
      currency,
      z
        .number(SCALE)
        .int(SCALE)
        .min(0, SCALE)
        .max(MAX_SCALE, SCALE)
        .nullable()
        .meta({ description: 'Decimals; empty for what ISO 4217 says.' }),
      'expected currencies with their decimals',
    )
    .default({ USD: isoScale('USD') })
    .meta({
      description: 'Currencies that are cleared, and how many decimals they have: that cannot change later.',
    }),
  operators: principals('Keys that may do everything.'),
  maxAge: duration('How long after its grant a payment is taken.').prefault('90d'),
  skew: duration('How far the clocks of others may be from ours.').prefault('5m'),
  maxHold: duration('The longest that credit is held for a check.').prefault('1d'),
  limits: object({
    connections: count('Connections at once.').optional(),
    body: octets('Octets of one request.').optional(),
    headersTimeout: duration('How long the head of a request may take.').optional(),
    requestTimeout: duration('How long a request may take to come.').optional(),
    idleTimeout: duration('How long a connection may be without anything.').optional(),
    credentials: count('Credentials of one deposit.').default(32),
    octets: octets('Octets of all credentials of one deposit together.').prefault('128KiB'),
    attributes: count('Attributes of one deposit.').default(64),
    payers: count('Payers of one deposit.').default(8),
    patience: duration('How long is waited for the database.').prefault('5s'),
  })
    .prefault({})
    .meta({ description: 'Bounds on what others can make us do.' }),
  log: log.prefault({}).meta({ description: 'The log, on stderr.' }),
}).superRefine(({ listen, tls: has }, context) => {
  if (has !== undefined || /^(127\.|::1$)/.test(listen.address)) return;
  context.addIssue({
    code: 'custom',
    path: ['listen', 'address'],
    message: 'anything but a loopback address needs `tls`',
  });
});

export type ClearConfig = z.output<typeof CLEAR_CONFIG>;

/** How somebody else finds the clearing centre: a section of the PDP's configuration. */
export const CLEARING_SECTION = object({
  url: z
    .string('expected an address')
    .regex(/^https?:\/\/[^\s]+$/, 'expected an address as `https://clearing.example:8443`')
    .meta({ description: 'The clearing centre: `https://clearing.example:8443`.' }),
  key: file("Private key that signs our requests: one of the account's.").optional(),
  ca: file(
    "Certificates of those who may sign the clearing centre's, PEM. Left out: whom the system trusts.",
  ).optional(),
  certificate: file('Our certificate, PEM, instead of `key` or beside it.').optional(),
  tlsKey: file("The certificate's private key, PEM.").optional(),
}).refine(({ key, certificate }) => key !== undefined || certificate !== undefined, {
  message: 'expected `key`, or `certificate` and `tlsKey`',
});
export type ClearingSection = z.output<typeof CLEARING_SECTION>;
