import type { Command } from 'commander';

/**
 * The commands, each in a file of its own that is loaded only when it is asked for: `bandex --help`
 * stays instant. A file exports `command()`, which returns its commander command.
 */
export interface CommandModule {
  command(): Command;
}
export const COMMANDS: Readonly<Record<string, { summary: string; load: () => Promise<CommandModule> }>> = {
  decode: { summary: 'decode captures of RSVP and COPS, or hex', load: () => import('./decode.js') },
  encode: { summary: 'encode messages from JSON to hex', load: () => import('./encode.js') },
  keynote: {
    summary: 'write, sign, check and question KeyNote assertions',
    load: () => import('./keynote.js'),
  },
  credit: {
    summary: 'make a credit authorization',
    load: () => import('./credit.js'),
  },
  offer: { summary: 'make an offer', load: () => import('./offer.js') },
  check: { summary: 'make a microcheck', load: () => import('./check.js') },
  request: {
    summary: 'make an RSVP message that carries claims and credentials',
    load: () => import('./request.js'),
  },
  demo: {
    summary: 'the first minute: a policy server judges the story of Alice',
    load: () => import('./demo.js'),
  },
  pdp: { summary: 'a policy server for COPS PEPs', load: () => import('./pdp.js') },
  pep: { summary: 'ask a policy server from the command line', load: () => import('./pep.js') },
  router: { summary: 'an RSVP router on this machine', load: () => import('./router.js') },
  host: {
    summary: 'an end system: announce, reserve, measure',
    load: () => import('./host.js'),
  },
  show: {
    summary: 'what a running router knows: sessions, reservations, interfaces',
    load: () => import('./show.js'),
  },
  debug: {
    summary: 'what happens in a running router, as it happens',
    load: () => import('./debug.js'),
  },
  payments: {
    summary: 'what a policy server was paid, and what became of it',
    load: () => import('./payments.js'),
  },
  revoke: {
    summary: 'revoke a key or a credential, at every policy server of a database',
    load: () => import('./revoke.js'),
  },
  clear: {
    summary: 'the clearing centre: deposits, statements, settlement, audit',
    load: () => import('./clear.js'),
  },
  quarantine: {
    summary: 'who is not listened to for a while, and who is to be again',
    load: () => import('./quarantine.js'),
  },
  replay: {
    summary: 'play a capture to a policy server, as a router would',
    load: () => import('./replay.js'),
  },
  lab: {
    summary: 'topologies of network namespaces on this machine',
    load: () => import('./lab.js'),
  },
  completion: {
    summary: 'print a script that completes commands and options',
    load: () => import('./completion.js'),
  },
};
