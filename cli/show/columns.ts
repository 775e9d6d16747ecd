import type { ViewName, Views } from '../router/control/views.js';
import { durationText, rateText } from './text.js';

/** A column: its head, and what stands in a row. */
export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => string | number;
  readonly right?: true;
}

const text = <Row>(head: string, cell: (row: Row) => string | undefined): Column<Row> => ({
  head,
  cell: (row) => cell(row) ?? '-',
});
const number = <Row>(head: string, cell: (row: Row) => string | number | undefined): Column<Row> => ({
  head,
  cell: (row) => cell(row) ?? '-',
  right: true,
});
const ago = (millis: number | undefined): string | undefined =>
  millis === undefined ? undefined : `${durationText(millis)} ago`;
const within = (millis: number | undefined): string | undefined =>
  millis === undefined ? undefined : `in ${durationText(millis)}`;

/** The tables of `bandex show`. Whoever sent it is `here` where it is an application of the node itself. */
export const COLUMNS: { readonly [Name in ViewName]: readonly Column<Views[Name]>[] } = {
  sessions: [
    text('session', (row) => row.session),
    number('senders', (row) => row.senders),
    number('reservations', (row) => row.reservations),
    number('reserved', (row) => rateText(row.reserved)),
  ],
  senders: [
    text('session', (row) => row.session),
    text('sender', (row) => row.sender),
    text('previous hop', (row) => row.previousHop ?? 'here'),
    text('in', (row) => row.incoming),
    text('out', (row) => row.outgoing.join(' ') || undefined),
    number('rate', (row) => rateText(row.rate)),
    text('state', (row) => (row.refused === undefined ? 'in force' : `refused: ${row.refused}`)),
    text('refreshed', (row) => ago(row.refreshedAgo)),
    text('expires', (row) => within(row.expiresIn)),
  ],
  reservations: [
    text('session', (row) => row.session),
    text('style', (row) => row.style),
    text('senders', (row) => row.senders.join(' ') || 'any'),
    text('next hop', (row) => row.nextHop ?? 'here'),
    text('out', (row) => row.outgoing),
    text('service', (row) => row.service),
    number('rate', (row) => rateText(row.rate)),
    text('state', (row) => (row.reason === undefined ? row.state : `${row.state}: ${row.reason}`)),
    text('refreshed', (row) => ago(row.refreshedAgo)),
    text('expires', (row) => within(row.expiresIn)),
  ],
  interfaces: [
    text('interface', (row) => row.interface),
    text('state', (row) => (row.isUp ? 'up' : 'down')),
    number('reservable', (row) => rateText(row.reservable)),
    number('reserved', (row) => rateText(row.reserved)),
    number('free', (row) => rateText(Math.max(0, row.reservable - row.reserved))),
    number('reservations', (row) => row.reservations),
    number('mtu', (row) => row.mtu),
    text('RFC 2961', (row) => (row.refreshReduction ? 'yes' : 'no')),
    text('integrity', (row) => (row.integrity ? 'yes' : 'no')),
    number('received', (row) => row.received),
    number('sent', (row) => row.sent),
    text('addresses', (row) => row.addresses.join(' ')),
  ],
  neighbours: [
    text('neighbour', (row) => row.neighbour),
    text('interface', (row) => row.interface),
    number('senders', (row) => row.senders),
    number('reservations', (row) => row.reservations),
    number('asked to reserve', (row) => row.asked),
  ],
  policy: [
    text('module', (row) => row.module),
    text('ready', (row) => (row.isReady ? 'yes' : 'no')),
    number('granted', (row) => row.granted),
    number('refused', (row) => row.refused),
    number('pending', (row) => row.pending),
    text('state', (row) => row.state),
  ],
  counters: [text('counter', (row) => row.counter), number('value', (row) => row.value)],
};
