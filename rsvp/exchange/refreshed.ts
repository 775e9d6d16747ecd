import {
  MessageIdList,
  MessageIdMcastListIpv4,
  MessageIdMcastListIpv6,
  MessageIdSrcListIpv4,
  MessageIdSrcListIpv6,
} from '../wire/index.js';
import type { WireObject } from '../wire/index.js';
import type { Refreshed } from './advert.js';
import type { Neighbour } from './neighbour.js';

/** Identifiers that an Srefresh names and nothing is bound to, of one epoch (RFC 2961 5.3). */
export interface Unmatched {
  readonly epoch: number;
  readonly ids: readonly number[];
}

/**
 * Refreshes what a list of an Srefresh names, and says what it did not find. `forwards` is the RPF check that multicast state asks
 * for: who would not forward those packets has no need of the state, and is silent (RFC 2961 5.3). Undefined: no list.
 */
export function refreshAll(
  now: number,
  neighbour: Neighbour,
  list: WireObject,
  destination: string,
  forwards: (source: string, group: string) => boolean,
): Unmatched | undefined {
  const ids: number[] = [];
  const isCurrent = (epoch: number): boolean => epoch === neighbour.epoch;
  if (MessageIdList.is(list)) {
    const { epoch, messageIdentifiers } = list;
    for (const id of messageIdentifiers)
      if (!(isCurrent(epoch) && refresh(now, neighbour.bound.get(id)))) ids.push(id);
    return { epoch, ids };
  }
  if (MessageIdMcastListIpv4.is(list) || MessageIdMcastListIpv6.is(list)) {
    const { epoch } = list;
    for (const { messageIdentifier: id, sourceIpAddress, destinationIpAddress } of list.tuples)
      if (!(isCurrent(epoch) && refresh(now, neighbour.bound.get(id))))
        if (forwards(sourceIpAddress, destinationIpAddress)) ids.push(id);
    return { epoch, ids };
  }
  if (MessageIdSrcListIpv4.is(list) || MessageIdSrcListIpv6.is(list)) {
    const { epoch } = list;
    for (const { messageIdentifier: id, sourceIpAddress } of list.tuples)
      if (!(isCurrent(epoch) && refresh(now, neighbour.bound.get(id))))
        if (forwards(sourceIpAddress, destination)) ids.push(id);
    return { epoch, ids };
  }
  return undefined;
}

function refresh(now: number, first: Refreshed | undefined): boolean {
  for (let state = first; state !== undefined; state = state.boundNext) state.refreshed(now);
  return first !== undefined;
}
