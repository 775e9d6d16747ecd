import { z } from 'zod';
import {
  address,
  count,
  duration,
  file,
  instant,
  interval,
  log,
  port,
  rate,
  text,
  yesOrNo,
} from '../config/fields.js';
import { metrics, PAYMENT_SECTIONS, secret } from '../pdp/schema.js';

/*
 * The router's configuration, declared once: what is accepted, the defaults, and the descriptions that CONFIGURATION.md and
 * `bandex router --schema` print. An unknown key is an error everywhere.
 */

const object = z.strictObject;

const integrityKey = object({
  id: count('Key identifier, 48 bits (RFC 2747 2).', 0, 0xffff_ffff_ffff),
  ...secret,
  algorithm: z
    .enum(['hmac-md5', 'hmac-sha1', 'hmac-sha256'], 'expected `hmac-md5`, `hmac-sha1` or `hmac-sha256`')
    .default('hmac-md5')
    .meta({ description: 'Both sides must have the same; RFC 2747 knows `hmac-md5` alone.' }),
  neighbour: address('Address of the neighbour that it is for. Left out: all.').optional(),
  notBefore: instant('When the key begins to hold.').optional(),
  notAfter: instant('When it ends.').optional(),
}).refine((key) => (key.secret === undefined) !== (key.secretFile === undefined), {
  message: 'expected either `secret` or `secretFile`',
});

const integrity = object({
  handshake: z.enum(['off', 'on', 'required'], 'expected `off`, `on` or `required`').default('on').meta({
    description:
      'How the first sequence number of a neighbour becomes known (RFC 2747 4.3): by its first message; by a challenge, where it answers them; or by a challenge in any case.',
  }),
  keys: z.array(integrityKey, 'expected a list of keys').min(1, 'expected at least one key').meta({
    description:
      'Keys shared with the neighbours there, for both directions. Of those in force the one that began last signs.',
  }),
});

const networkInterface = object({
  name: text('As the kernel names it: `eth0`.'),
  rsvp: yesOrNo('Whether RSVP runs there. Where not, it can be left out as well.').default(true),
  bandwidth: rate(
    'What the link carries. Left out: what its driver says, where it does; an ADSPEC says it (RFC 2215 3.3).',
  ).optional(),
  reservable: rate('What may be reserved of it. Left out: three quarters of `bandwidth`.').optional(),
  latency: duration('What the link adds, for ADSPECs (RFC 2215 3.4). Left out: not known.').optional(),
  link: text(
    'What `link_name` is in conditions of credentials. Left out: the name of the interface.',
  ).optional(),
  route: text(
    'The ROUTE key that offers of this link are made to, for `policy: local`: a principal, or a file with one.',
  ).optional(),
  refreshReduction: yesOrNo(
    'Bundles, MESSAGE_IDs and Srefreshes with neighbours that do them (RFC 2961).',
  ).default(true),
  udp: yesOrNo('RSVP in UDP, for hosts without raw sockets (RFC 2205 Appendix C).').default(false),
  nonRsvp: yesOrNo('A hop that does not do RSVP lies behind it: ADSPECs say so (RFC 2210 3.3).').default(
    false,
  ),
  integrity: integrity
    .optional()
    .meta({ description: 'Messages there are authenticated (RFC 2747). Left out: they are not.' }),
}).refine(
  (one) => one.reservable === undefined || one.bandwidth === undefined || one.reservable <= one.bandwidth,
  {
    message: 'more is `reservable` than `bandwidth`',
  },
);

const limits = object({
  sessions: count('Sessions.').default(100_000),
  senders: count('Senders of one session.').default(1000),
  reservations: count('Reservations of one session.').default(1000),
  questions: count('Questions to policy that have no answer yet.').default(10_000),
  neighbours: count('Neighbours that refresh reduction and INTEGRITY remember.').default(1024),
});

const pdp = object({
  host: text('Name or address.'),
  port: port('TCP port. Left out: 3288.').optional(),
  tls: z
    .enum(['none', 'start', 'direct'], 'expected `none`, `start` or `direct`')
    .default('none')
    .meta({ description: '`start` asks for TLS (RFC 4261 5.1), `direct` speaks it from the first octet.' }),
  keyId: count('Key ID of COPS INTEGRITY (RFC 2748 2.2.16). Left out: none.', 0, 0xffff_ffff).optional(),
  ...secret,
}).refine((one) => (one.keyId !== undefined) === (one.secret !== undefined || one.secretFile !== undefined), {
  message: 'expected `keyId` together with `secret` or `secretFile`',
});

const cops = object({
  pdps: z
    .array(pdp, 'expected a list of policy servers')
    .min(1, 'expected at least one policy server')
    .meta({ description: 'Policy servers, in order of preference (RFC 2748 2.5).' }),
  pepId: text('PEPID. Left out: `name`.').optional(),
  timeout: interval('How long a question waits for its decision.').prefault('5s'),
  cacheTime: interval(
    'How long decisions hold while no policy server can be reached (RFC 2749 3.5).',
  ).prefault('157500ms'),
  fallback: z.enum(['deny', 'grant', 'local'], 'expected `deny`, `grant` or `local`').default('deny').meta({
    description:
      'While none can be reached: new reservations are refused (ERR_PDP), granted, or judged as `local` says. The policy server is told when it is back, and has the last word.',
  }),
  ca: file("Certificates of those who may have signed the policy server's, PEM.").optional(),
  certificate: file("The router's certificate, PEM.").optional(),
  key: file('Its private key, PEM.').optional(),
});

const codePoint = (description: string) => count(description, 0, 63).optional();

const traffic = object({
  control: z.enum(['htb', 'null'], 'expected `htb` or `null`').default('htb').meta({
    description:
      '`htb`: queueing disciplines of the kernel are made and kept, for which it takes CAP_NET_ADMIN. `null`: reservations are counted, and nothing keeps them: for tests.',
  }),
  excess: z
    .enum(['best-effort', 'drop'], 'expected `best-effort` or `drop`')
    .default('best-effort')
    .meta({ description: 'What becomes of traffic beyond its reservation (RFC 2211 7).' }),
  bestEffort: z.enum(['fifo', 'fair'], 'expected `fifo` or `fair`').default('fifo').meta({
    description:
      'How traffic without a reservation shares what is left: first come, first served, or flow by flow (fq_codel, or sfq).',
  }),
  markGuaranteed: codePoint('DSCP for packets of guaranteed service.'),
  markControlledLoad: codePoint('DSCP for packets of controlled load.'),
  signalling: rate('What is kept for RSVP itself. Left out: 2 % of the link.').optional(),
  takeover: yesOrNo('Remove a queueing discipline that somebody else has put on an interface.').default(
    false,
  ),
});

const control = object({
  socket: file('Unix socket for `bandex show` and `bandex debug`.').default('/run/bandex/router.sock'),
  clients: count('Clients at once.', 1, 1000).default(16),
});

export const CONFIG = object({
  name: text(
    'What the router is called: `pep_id` in conditions, PEPID to policy servers. Left out: its host name.',
  ).optional(),
  interfaces: z
    .array(networkInterface, 'expected a list of interfaces')
    .min(1, 'expected at least one interface')
    .meta({ description: 'Where RSVP runs, and what may be reserved there.' }),
  refresh: interval('Refresh period R (RFC 2205 3.7).').prefault('30s'),
  limits: limits.prefault({}).meta({ description: 'Bounds on what neighbours can make the router hold.' }),
  policy: z.enum(['none', 'local', 'cops'], 'expected `none`, `local` or `cops`').default('none').meta({
    description:
      'Who decides: nobody, all is granted that there is room for; the router, by the credentials that requests carry, as `local` says; or a policy server, as `cops` says.',
  }),
  local: object(PAYMENT_SECTIONS).optional().meta({
    description:
      "The router's own policy, as a policy server's ([there](#policy)). Needed with `policy: local` and `fallback: local`.",
  }),
  cops: cops.optional().meta({ description: 'Policy servers. Needed with `policy: cops`.' }),
  traffic: traffic.prefault({}).meta({ description: 'How the kernel is made to keep reservations.' }),
  control: control.prefault({}).meta({ description: 'Where `bandex show` and `bandex debug` connect.' }),
  log: log.prefault({}).meta({ description: 'The log, on stderr.' }),
  metrics: metrics
    .optional()
    .meta({ description: 'HTTP with `/metrics` (Prometheus), `/-/healthy` and `/-/ready`. Left out: none.' }),
}).superRefine((config, context) => {
  const problem = (path: readonly (string | number)[], message: string): void => {
    context.addIssue({ code: 'custom', path: [...path], message });
  };
  if (config.policy === 'local' && config.local === undefined)
    problem(['policy'], '`policy: local` needs the section `local`');
  if (config.policy === 'cops' && config.cops === undefined)
    problem(['policy'], '`policy: cops` needs the section `cops`');
  if (config.cops?.fallback === 'local' && config.local === undefined)
    problem(['cops', 'fallback'], '`fallback: local` needs the section `local`');
  const names = new Set<string>();
  config.interfaces.forEach(({ name }, i) => {
    if (names.has(name)) problem(['interfaces', i, 'name'], `\`${name}\` is there twice`);
    names.add(name);
  });
});

export type RouterConfig = z.output<typeof CONFIG>;
export type InterfaceConfig = RouterConfig['interfaces'][number];
export type IntegrityKeyConfig = NonNullable<InterfaceConfig['integrity']>['keys'][number];
