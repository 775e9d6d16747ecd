import { pino } from 'pino';
import type { Logger } from 'pino';
import { painter } from '../terminal.js';
import type { Style } from '../terminal.js';
import type { PdpConfig } from './schema.js';

export type { Logger };

/** The PDP's log on stderr: JSON lines, or readable lines where a person looks. */
export function createLog(
  { level, format }: PdpConfig['log'],
  stream: NodeJS.WriteStream = process.stderr,
): Logger {
  const isPretty = format === 'pretty' || (format === 'auto' && stream.isTTY);
  const paint = painter(stream);
  return pino(
    {
      level,
      base: null,
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    isPretty ? { write: (line: string) => stream.write(prettyLine(line, paint)) } : stream,
  );
}

const COLOURS: Readonly<Record<string, Style>> = {
  error: 'red',
  fatal: 'red',
  warn: 'yellow',
  info: 'green',
  debug: 'dim',
};

/** `12:00:00.123 info  decision  pep=ne-12 ...` of a line of JSON. */
export function prettyLine(line: string, paint: (style: Style, text: string) => string): string {
  const { time, level, msg, ...rest } = JSON.parse(line) as Record<string, unknown>;
  const label = String(level);
  const fields = Object.entries(rest).map(
    ([name, value]) => `${paint('dim', `${name}=`)}${fieldText(value)}`,
  );
  const clock = String(time).slice(11, 23);
  const { stack } = (rest['err'] ?? {}) as { stack?: string };
  const trace = stack === undefined ? '' : `${stack}\n`;
  return `${paint('dim', clock)} ${paint(COLOURS[label] ?? 'dim', label.padEnd(5))} ${String(msg)}  ${fields.join(' ')}\n${trace}`;
}

function fieldText(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  if (typeof value === 'object' && value !== null && 'message' in value) return JSON.stringify(value.message);
  return JSON.stringify(value);
}
