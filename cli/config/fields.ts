import { isIP } from 'node:net';
import { z } from 'zod';
import { bitsPerSecond, durationMillis, octetCount } from './duration.js';

/** Values that configurations are made of: each says what it expects, and carries its description into the JSON Schema. */

const DURATION = 'expected a duration as `30s` (ms, s, m, h, d)';
const OCTETS = 'expected octets as `65536` or `64KiB`';

/** Milliseconds. */
export const duration = (description: string) =>
  z
    .string(DURATION)
    .transform((value, context) => {
      const millis = durationMillis(value);
      if (millis !== undefined) return millis;
      context.addIssue({ code: 'custom', message: DURATION });
      return z.NEVER;
    })
    .meta({ description, format: 'duration' });

export const octets = (description: string) =>
  z
    .union([z.number(), z.string()], OCTETS)
    .transform((value, context) => {
      const found = octetCount(String(value));
      if (found !== undefined && found > 0) return found;
      context.addIssue({ code: 'custom', message: OCTETS });
      return z.NEVER;
    })
    .meta({ description, format: 'octets' });

const RATE = 'expected a rate as `100Mbit/s` or `64kbit/s`';

/** Octets a second, of bit/s as people write them. */
export const rate = (description: string) =>
  z
    .union([z.number(), z.string()], RATE)
    .transform((value, context) => {
      const bits = bitsPerSecond(String(value));
      if (bits !== undefined) return bits / 8;
      context.addIssue({ code: 'custom', message: RATE });
      return z.NEVER;
    })
    .meta({ description, format: 'rate' });

export const count = (description: string, min = 1, max = Number.MAX_SAFE_INTEGER) =>
  z
    .number('expected a whole number')
    .int('expected a whole number')
    .min(min, `expected a whole number from ${min} on`)
    .max(max, `expected a whole number up to ${max}`)
    .meta({ description });

export const port = (description: string) => count(description, 0, 65_535);

export const text = (description: string) =>
  z.string('expected text').min(1, 'expected text, not nothing').meta({ description });

export const file = (description: string) =>
  z.string('expected a file name').min(1, 'expected a file name').meta({ description, format: 'file' });

export const address = (description: string) =>
  z
    .string('expected an IP address')
    .refine((value) => isIP(value) !== 0, 'expected an IP address')
    .meta({ description, format: 'address' });

export const yesOrNo = (description: string) => z.boolean('expected true or false').meta({ description });

/** A duration that is not nothing. */
export const interval = (description: string) =>
  duration(description).refine((millis) => millis > 0, 'expected a time longer than nothing');

export const instant = (description: string) =>
  z
    .string('expected a time as `2026-03-24T12:00:00Z`')
    .refine((value) => !Number.isNaN(Date.parse(value)), 'expected a time as `2026-03-24T12:00:00Z`')
    .meta({ description, format: 'date-time' });

export const prefix = (description: string) =>
  z
    .string('expected an IP address or prefix')
    .refine(isPrefix, 'expected an IP address or prefix as `10.0.0.0/24`')
    .meta({ description, format: 'prefix' });

function isPrefix(value: string): boolean {
  const [host = '', length, more] = value.split('/');
  const version = isIP(host);
  if (version === 0 || more !== undefined) return false;
  return length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= (version === 4 ? 32 : 128));
}

/** How a server talks; the same for all. */
export const log = z.strictObject({
  level: z
    .enum(
      ['debug', 'info', 'warn', 'error', 'silent'],
      'expected `debug`, `info`, `warn`, `error` or `silent`',
    )
    .default('info')
    .meta({ description: 'What is logged. A decision is `info`.' }),
  format: z.enum(['auto', 'json', 'pretty'], 'expected `auto`, `json` or `pretty`').default('auto').meta({
    description: '`json` is one object a line; `auto` is `pretty` on a terminal, `json` elsewhere.',
  }),
});
export type LogConfig = z.output<typeof log>;

/** A list, empty where it is left out. */
export const list = <Item extends z.ZodType>(item: Item, of: string, description: string) =>
  z.array(item, `expected a list of ${of}`).default([]).meta({ description });
