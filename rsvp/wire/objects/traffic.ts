import { INTSERV_FIELDS, INTSERV_SERVICES } from '../intserv.js';
import { object } from '../object.js';

/** What is reserved (RFC 2210 3.2). C-Type 1 is obsolete and kept as octets. */
export const Flowspec = object(
  { class: 'FLOWSPEC', classNum: 9, cType: 2, title: 'Int-serv', rfc: 'RFC 2210 3.2' },
  INTSERV_FIELDS,
  INTSERV_SERVICES,
);

/** What the sender will send (RFC 2210 3.1). */
export const SenderTspec = object(
  { class: 'SENDER_TSPEC', classNum: 12, cType: 2, title: 'Int-serv', rfc: 'RFC 2210 3.1' },
  INTSERV_FIELDS,
  INTSERV_SERVICES,
);

/** What the path can do, updated at each hop (RFC 2210 3.3). */
export const Adspec = object(
  { class: 'ADSPEC', classNum: 13, cType: 2, title: 'Int-serv', rfc: 'RFC 2210 3.3' },
  INTSERV_FIELDS,
  INTSERV_SERVICES,
);
