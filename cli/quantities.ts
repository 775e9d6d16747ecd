import { InvalidArgumentError } from 'commander';
import { bitsPerSecond, durationMillis } from './config/duration.js';
import { ipv4Number, ipv4Text, ipv6Octets, ipv6Text } from '../rsvp/wire/address.js';

/**
 * Values as people write them on the command line. What is wrong is an `InvalidArgumentError`: commander says which option.
 */

/** `50Mbit/s`, `50M`, `50Mbps`, `50000000`: whole bit/s. */
export function bandwidth(text: string): number {
  const value = bitsPerSecond(text);
  if (value === undefined) throw new InvalidArgumentError('expected bit/s, as 50Mbit/s or 50000000.');
  return value;
}

/** `2027-03-24` or `20270324`: `20270324`. */
export function day(text: string): string {
  const match = /^(\d{4})-?(\d{2})-?(\d{2})$/.exec(text);
  const iso = match === null ? '' : match.slice(1).join('-');
  const time = Date.parse(iso);
  // The 30th of February would be read as a day in March.
  if (Number.isNaN(time) || !new Date(time).toISOString().startsWith(iso)) {
    throw new InvalidArgumentError('expected a day, as 2027-03-24.');
  }
  return iso.replaceAll('-', '');
}

/** `90s`, `30m`, `2h`, `1d`: whole seconds. */
export function seconds(text: string): number {
  const millis = durationMillis(text);
  if (millis === undefined || millis < 1000 || millis % 1000 !== 0)
    throw new InvalidArgumentError('expected a duration of whole seconds, as 90s, 30m or 2h.');
  return millis / 1000;
}

/** `2027-03-20T20:00:00Z`: milliseconds since 1970. Without a zone it is UTC, wherever the machine stands. */
export function instant(text: string): number {
  const time = Date.parse(/T[\d:.]+$/.test(text) ? `${text}Z` : text);
  if (Number.isNaN(time)) throw new InvalidArgumentError('expected a time, as 2027-03-20T20:00:00Z.');
  return time;
}

export interface SessionText {
  readonly address: string;
  readonly protocol: number;
  readonly port: number;
}

const PROTOCOLS: Readonly<Record<string, number>> = { tcp: 6, udp: 17, sctp: 132 };

/** `192.0.2.7/udp/5004`: destination address, protocol by name or number, port. */
export function session(text: string): SessionText {
  const [addressText = '', protocolText = '', portText = '', ...rest] = text.split('/');
  const address = ipAddress(addressText);
  const protocol = PROTOCOLS[protocolText.toLowerCase()] ?? integer(protocolText, 255);
  const port = integer(portText, 0xffff);
  if (rest.length > 0 || address === undefined || protocol === undefined || port === undefined) {
    throw new InvalidArgumentError('expected address/protocol/port, as 192.0.2.7/udp/5004.');
  }
  return { address, protocol, port };
}

/** `198.51.100.9/5004`: source address and port. */
export function sender(text: string): { address: string; port: number } {
  const [addressText = '', portText = '', ...rest] = text.split('/');
  const address = ipAddress(addressText);
  const port = integer(portText, 0xffff);
  if (rest.length > 0 || address === undefined || port === undefined) {
    throw new InvalidArgumentError('expected address/port, as 198.51.100.9/5004.');
  }
  return { address, port };
}

/** As RSVP objects say it: conditions compare the text. */
function ipAddress(text: string): string | undefined {
  const ipv4 = ipv4Number(text);
  if (ipv4 !== undefined) return ipv4Text(ipv4);
  const ipv6 = ipv6Octets(text);
  return ipv6 && ipv6Text(ipv6);
}

/** `name=value` */
export function pair(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError('expected name=value.');
  return [text.slice(0, equals), text.slice(equals + 1)];
}

/** For options that may be given several times. */
export function collect<T>(
  parse: (text: string) => T,
): (text: string, before: readonly T[] | undefined) => readonly T[] {
  return (text, before = []) => [...before, parse(text)];
}

/** A whole number from 0 to `max`, for commander. */
export function wholeNumber(max: number): (text: string) => number {
  return (text) => {
    const value = integer(text, max);
    if (value === undefined) throw new InvalidArgumentError(`expected a whole number up to ${max}.`);
    return value;
  };
}

function integer(text: string, max: number): number | undefined {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  return value <= max ? value : undefined;
}
