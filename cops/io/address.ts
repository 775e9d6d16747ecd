/**
 * An address of a socket as COPS carries it: an IPv4 address that an IPv6 socket shows as `::ffff:192.0.2.1` is itself,
 * and the zone of a link-local address means nothing to others.
 */
export function plainAddress(address: string | undefined): string {
  return (address ?? '0.0.0.0').replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
}
