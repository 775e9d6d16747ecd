import { bits } from '../field.js';
import { layout } from '../layout.js';
import { object } from '../object.js';
import { records } from '../tail.js';

/*
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |          Unused                               | 1st DSCP  |   |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export const Dclass = object(
  { class: 'DCLASS', classNum: 225, cType: 1, title: 'DSCPs', rfc: 'RFC 2996 2' },
  {},
  { dscps: records(layout({ reserved: bits(24), dscp: bits(6), reservedLow: bits(2) })) },
);
