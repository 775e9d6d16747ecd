import { GENERAL_PARAMETERS, GUARANTEED_PARAMETERS, NULL_PARAMETERS, SERVICES } from './intserv.js';
import { INTERFACE_IDS } from './interfaces.js';
import type { Member } from './family.js';
import { MESSAGES, unknownClassAction } from './numbers.js';
import type { AnyObjectType } from './object.js';
import { IDENTITY_ATTRIBUTES, POLICY_ELEMENTS } from './policy.js';
import { EXPLICIT_HOPS, RECORDED_HOPS } from './route.js';
import { RSVP } from './rsvp.js';

/** What the wire format knows, as Markdown, out of the declarations themselves. */
export function supportTable(): string {
  const objects = (RSVP.objects.members as readonly AnyObjectType[])
    .slice()
    .sort((a, b) => a.classNum - b.classNum || a.cType - b.cType);
  return [
    '# What RSVP knows on the wire',
    'Written by `npm run docs` from the declarations in this folder; do not edit.',
    'What is not listed survives: it decodes to its octets, prints, and encodes to them again. "Processed" is said of ' +
      'what a state machine acts upon; a message is only read and written until then.',
    '## Message types',
    table(
      ['type', 'name', 'defined in', 'decode', 'encode', 'processed'],
      MESSAGES.map(({ msgType, name, rfc }) => [String(msgType), name, rfc, 'yes', 'yes', 'no']),
    ),
    '## Objects',
    'The last column is what a node does that does not know the class (RFC 2205 3.10).',
    table(
      ['class', 'name', 'C-Type', 'what', 'defined in', 'decode', 'encode', 'processed', 'unknown to others'],
      objects.map(({ classNum, class: name, cType, title, rfc }) => [
        String(classNum),
        name,
        String(cType),
        title,
        rfc,
        'yes',
        'yes',
        'no',
        unknownClassAction(classNum),
      ]),
    ),
    '## Inside FLOWSPEC, SENDER_TSPEC and ADSPEC',
    members('service', SERVICES.members),
    members('general parameter', GENERAL_PARAMETERS),
    members('parameter of guaranteed service', GUARANTEED_PARAMETERS),
    members('parameter of the null service', NULL_PARAMETERS),
    '## Inside POLICY_DATA',
    'Options are RSVP objects (RFC 2750 3.2).',
    members('P-Type', POLICY_ELEMENTS),
    table(
      ['A-Type', 'SubType', 'attribute of AUTH_USER and AUTH_APP', 'defined in'],
      IDENTITY_ATTRIBUTES.members.map(({ key, name, rfc }) => [
        String(key >> 8),
        String(key & 0xff),
        name,
        rfc,
      ]),
    ),
    '## Inside routes and interface identifiers',
    members('sub-object of EXPLICIT_ROUTE', EXPLICIT_HOPS.members),
    members('sub-object of RECORD_ROUTE', RECORDED_HOPS.members),
    members('TLV of IF_ID objects', INTERFACE_IDS.members),
  ]
    .join('\n\n')
    .concat('\n');
}

type AnyMember = Pick<Member<object>, 'key' | 'name' | 'rfc'>;

function members(what: string, list: readonly AnyMember[]): string {
  return table(
    [what, 'name', 'defined in'],
    list.map(({ key, name, rfc }) => [String(key), name, rfc]),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
