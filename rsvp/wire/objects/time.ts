import { u32 } from '../field.js';
import { object } from '../object.js';

/*
 *  +-------------+-------------+-------------+-------------+
 *  |                   Refresh Period R                    |
 *  +-------------+-------------+-------------+-------------+
 */
export const TimeValues = object(
  { class: 'TIME_VALUES', classNum: 5, cType: 1, title: 'refresh period', rfc: 'RFC 2205 A.4' },
  { refreshPeriod: u32({ unit: 'ms' }) },
);
