import { z } from 'zod';
import { CLEARING_SECTION } from '../clear/schema.js';
import {
  address,
  count,
  duration,
  file,
  instant,
  interval,
  log,
  octets,
  port,
  prefix,
  text,
} from '../config/fields.js';

/*
 * The PDP's configuration, declared once: what is accepted, the defaults, and the descriptions that CONFIGURATION.md and
 * `bandex pdp --schema` print. An unknown key is an error everywhere.
 */

const object = z.strictObject;

const listener = object({
  address: address('Local address. Left out: all of them, IPv4 and IPv6.').optional(),
  port: port(
    'TCP port; 0 takes a free one. Left out: 3288, COPS (RFC 2748 2), or 3183 with `tls`.',
  ).optional(),
  tls: z
    .boolean('expected true or false')
    .default(false)
    .meta({ description: 'TLS from the first octet. Needs `tls` below.' }),
});

const tls = object({
  certificate: file('Certificate chain, PEM.'),
  key: file('Private key, PEM.'),
  ca: file('Certificates of those who may sign PEP certificates, PEM. A PEP must then show one.').optional(),
  matchPepId: z
    .boolean('expected true or false')
    .default(true)
    .meta({ description: "With `ca`: a PEP's certificate must name its PEPID (RFC 4261 7.1)." }),
  startTls: z
    .enum(['none', 'offered', 'required'], 'expected `none`, `offered` or `required`')
    .default('none')
    .meta({ description: 'Upgrade of plain connections to TLS after the Client-Open (RFC 4261).' }),
});

/** Shared with policy servers as well: either text or a file. */
export const secret = {
  secret: text('The shared secret as text. Better kept in a file.').optional(),
  secretFile: file('File with the shared secret; one newline at its end does not count.').optional(),
};

const integrityKey = object({
  pep: text('PEPID of the router that shares the key; `*` stands for any run of characters.'),
  id: count('Key ID (RFC 2748 2.2.16).', 0, 0xffff_ffff),
  ...secret,
  notBefore: instant('When the key begins to hold.').optional(),
  notAfter: instant('When it ends.').optional(),
}).refine((key) => (key.secret === undefined) !== (key.secretFile === undefined), {
  message: 'expected either `secret` or `secretFile`',
});

const integrity = object({
  required: z
    .boolean('expected true or false')
    .default(true)
    .meta({ description: 'Refuse PEPs that do not negotiate INTEGRITY (RFC 2748 4.1).' }),
  keys: z
    .array(integrityKey, 'expected a list of keys')
    .min(1, 'expected at least one key')
    .meta({ description: 'Shared keys.' }),
});

const limits = object({
  connections: count('Connections at once.').optional(),
  handles: count('Request states of one connection.').optional(),
  messageLength: octets('Longest COPS message.').optional(),
  stateOctets: octets('Octets of all request states together.').optional(),
  unsentOctets: octets(
    'Octets waiting for a peer that does not read; beyond it the peer is cut off.',
  ).optional(),
  openTimeout: duration('How long a connection may be without an open client-type.').optional(),
  messageTimeout: duration('How long a message that has begun may take.').optional(),
  stallTimeout: duration('How long a peer may take nothing of what it is sent.').optional(),
  stateRetention: duration('How long request states outlive their connection.').optional(),
});

const policy = object({
  files: z
    .array(file('A file.'), 'expected a list of files')
    .default([])
    .meta({ description: 'Files of KeyNote assertions, trusted without a signature.' }),
  assertions: z
    .string('expected KeyNote assertions as text')
    .default('')
    .meta({ description: 'KeyNote assertions in place.' }),
  appDomain: text('What `app_domain` is in conditions.').default('Band-X'),
  algorithms: z.enum(['modern', 'classic'], 'expected `modern` or `classic`').default('modern').meta({
    description:
      'Signatures that are accepted: `modern` is Ed25519 and RSA with SHA-256 from 2048 bits on; `classic` accepts also RFC 2792 (RSA and DSA with SHA-1 and MD5), for old credentials.',
  }),
  route: text(
    "The ROUTE key that offers are made to, where a request's link names none: a principal, or a file with one.",
  ).optional(),
  nodeKeys: z
    .array(text('A principal, or a file with one.'), 'expected a list of principals')
    .default([])
    .meta({
      description:
        'Keys of the policy node and its routers: who signs, to one of them, an assertion that holds for a request, makes the request.',
    }),
  names: z
    .record(z.string(), text('A principal, or a file with one.'), 'expected names with principals')
    .default({})
    .meta({ description: 'Names of keys, for messages: name to principal, or to a file with one.' }),
  pass: z
    .array(
      z.enum(['Path', 'Resv', 'PathErr', 'ResvErr'], 'expected `Path`, `Resv`, `PathErr` or `ResvErr`'),
      'expected a list of message types',
    )
    .default(['Path', 'PathErr', 'ResvErr'])
    .meta({ description: 'RSVP messages that pass without payment.' }),
  duration: duration(
    'The longest that one payment pays for, and how long one does that claims no `duration`; whole seconds. Left out: for as long as the reservation stands.',
  ).optional(),
  limits: object({
    credentials: count('Credentials of one request.').default(32),
    octets: octets('Octets of all credentials of one request together, inflated.').prefault('128KiB'),
    claims: count('Claimed attributes of one request.').default(32),
    cache: count('Verified credentials that are remembered. Not reloaded.').default(4096),
  })
    .prefault({})
    .meta({ description: 'Bounds on what a request makes the policy do.' }),
});

const store = object({
  database: text(
    'Where payments are recorded: a file of SQLite, made where there is none; `:memory:`, which forgets; or `postgresql://user@host/name`, which several PDPs can share.',
  ).default('bandex.db'),
  connections: count('Connections to PostgreSQL at most.', 1, 1000).default(4),
  timeout: duration('How long a request waits for the database before it is refused.').prefault('10s'),
  holdTimeout: duration(
    'How long a router may take to report that it installed a reservation, before the payment is released and the reservation removed.',
  ).prefault('60s'),
  resume: duration(
    'For how long a payment without a `duration` holds once no router holds its reservation: a router that was away asks again for what was paid.',
  ).prefault('5m'),
  deadAfter: duration(
    'A PDP of the same database that was not heard of for so long is dead: what its routers held, and did not bring to another PDP, ends.',
  ).prefault('2m'),
});

/** Somebody may fail so often within this time, and is not listened to for that time. */
const rule = (failures: number, within: string, time: string) =>
  object({
    failures: count('Failures within this time begin a quarantine.', 1, 1_000_000).default(failures),
    within: interval('The time within which failures are counted.').prefault(within),
    for: interval('How long it lasts; twice as long each time that somebody is back within a day.').prefault(
      time,
    ),
  }).prefault({});

const quarantine = object({
  enabled: z
    .boolean('expected true or false')
    .default(true)
    .meta({ description: 'Whether failures are counted, and whoever is in quarantine refused.' }),
  key: rule(10, '1m', '10m').meta({
    description:
      'A key that signs checks. Only what its own signature proves counts: checks for more than the authorization allows, two checks with one nonce.',
  }),
  source: rule(30, '1m', '10m').meta({
    description:
      'A neighbour that sends requests, by the address in its RSVP_HOP, at one router. More where a neighbour passes on the requests of many.',
  }),
  pep: rule(3000, '1m', '1m').meta({
    description:
      'A router, by its PEPID: it passes on the requests of many users, who are not to suffer for one of them.',
  }),
});

const link = object({
  name: text('What `link_name` is in conditions, for requests of this link.'),
  pep: text('PEPID of the router; `*` stands for any run of characters.').default('*'),
  ifIndex: count('ifIndex of the In- or Out-Interface object.', 0, 0xffff_ffff).optional(),
  address: prefix('Address of the In- or Out-Interface object, or a prefix that holds it.').optional(),
  route: text(
    'The ROUTE key that offers of this link are made to: a principal, or a file with one.',
  ).optional(),
}).refine((entry) => entry.ifIndex !== undefined || entry.address !== undefined, {
  message: 'expected `ifIndex`, `address` or both',
});

/** What payments are judged by: for a PDP, and for a router that judges by itself. */
export const PAYMENT_SECTIONS = {
  policy: policy.prefault({}).meta({ description: 'What is granted. *Reloaded on SIGHUP.*' }),
  store: store.prefault({}).meta({ description: 'The books: which nonce has paid for what.' }),
  quarantine: quarantine
    .prefault({})
    .meta({ description: 'Who fails too often is not listened to for a while. *Reloaded on SIGHUP.*' }),
};

export const metrics = object({
  address: address('Local address.').default('127.0.0.1'),
  port: port('TCP port; 0 takes a free one.').default(9288),
});

export const CONFIG = object({
  listen: z
    .array(listener, 'expected a list of listeners')
    .min(1, 'expected at least one listener')
    .prefault([{}])
    .meta({ description: 'Where PEPs connect.' }),
  tls: tls.optional().meta({ description: 'Keys for TLS ports and for `startTls`.' }),
  integrity: integrity.optional().meta({ description: 'COPS INTEGRITY with HMAC-MD5-96 (RFC 2748 4).' }),
  keepAlive: duration('KA Timer, whole seconds; `0s` turns keep-alives off (RFC 2748 2.2.10).').prefault(
    '30s',
  ),
  limits: limits.prefault({}).meta({ description: 'Bounds on what PEPs can make the PDP hold.' }),
  policy: PAYMENT_SECTIONS.policy,
  store: PAYMENT_SECTIONS.store,
  clearing: CLEARING_SECTION.optional().meta({
    description: 'Where `bandex clear deposit` hands in what was paid. Left out: nowhere.',
  }),
  quarantine: PAYMENT_SECTIONS.quarantine,
  links: z.array(link, 'expected a list of links').default([]).meta({
    description:
      "The routers' links, by the interface objects of their requests; the first that matches counts. *Reloaded on SIGHUP.*",
  }),
  log: log.prefault({}).meta({ description: 'The log, on stderr.' }),
  metrics: metrics
    .optional()
    .meta({ description: 'HTTP with `/metrics` (Prometheus), `/-/healthy` and `/-/ready`. Left out: none.' }),
}).superRefine((config, context) => {
  const needsTls = config.listen.findIndex((entry) => entry.tls);
  if (needsTls !== -1 && config.tls === undefined) {
    context.addIssue({
      code: 'custom',
      path: ['listen', needsTls, 'tls'],
      message: 'a TLS port needs `tls` with a certificate and a key',
    });
  }
  if (config.keepAlive % 1000 !== 0 || config.keepAlive > 65_535_000) {
    context.addIssue({
      code: 'custom',
      path: ['keepAlive'],
      message: 'expected whole seconds from 0s to 65535s',
    });
  }
});

export type PdpConfig = z.output<typeof CONFIG>;
export type LinkConfig = PdpConfig['links'][number];
