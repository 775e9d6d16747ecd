import type { Advert } from './advert.js';
import type { Neighbour, Neighbours } from './neighbour.js';
import type { ExchangeOptions } from './options.js';
import type { Outgoing } from './outgoing.js';
import type { SummaryTarget } from './summary.js';

/** Which parts of RFC 2961 may be used towards whom. */
export class Reduction {
  constructor(
    readonly options: ExchangeOptions,
    readonly neighbours: Neighbours,
  ) {}

  /** The neighbour that a message is for, if it has spoken. */
  neighbourOf(to: Omit<Outgoing, 'message'>): Neighbour | undefined {
    return this.neighbours.get(to.neighbour ?? to.destination, to.interface);
  }

  /**
   * Does a message carry a MESSAGE_ID? Only a neighbour that knows it can take it (RFC 2961 4.8). Where the next hop of a Path
   * has not spoken, we go by those that have on that link: if all of them are capable, so will this one be, and if it is
   * not, its error says so.
   */
  usesMessageId(to: Omit<Outgoing, 'message'>): boolean {
    const settings = this.options.interface(to.interface);
    if (settings === undefined || settings.refreshReduction === 'off') return false;
    const neighbour = this.neighbourOf(to);
    if (neighbour?.refusesMessageId === true) return false;
    const { capable, other, refusing } = this.neighbours.link(to.interface);
    if (settings.refreshReduction === 'assumed') return neighbour !== undefined || refusing === 0;
    // A group may have members that never speak, except where there is room for one alone.
    if (isMulticast(to.destination) && settings.isPointToPoint !== true) return false;
    if (to.neighbour !== undefined || neighbour !== undefined) return neighbour?.isCapable === true;
    return capable > 0 && other === 0;
  }

  /** Where an advert that was sent with a MESSAGE_ID is refreshed by number; undefined: it is sent whole (RFC 2961 5.3). */
  summaryOf(now: number, advert: Advert): SummaryTarget | undefined {
    const { destination, interface: index } = advert;
    const settings = this.options.interface(index);
    if (settings === undefined || settings.refreshReduction === 'off') return undefined;
    const neighbour = this.neighbourOf(advert);
    if (neighbour?.refusesMessageId === true) return undefined;
    const isGroup = isMulticast(destination);
    const isKnown =
      neighbour?.isCapable === true &&
      !neighbour.isSilent(now, advert.refreshPeriod) &&
      // Behind a hop without RSVP the next hop may change and nobody is told: a Path has to go its own way (RFC 2961 5.6).
      (neighbour.isDirect || neighbour.address === destination);
    if (isKnown && (!isGroup || settings.isPointToPoint === true))
      return {
        interface: index,
        destination: neighbour.address,
        list: isGroup ? 'MCAST_LIST' : 'LIST',
        routerAlert: false,
      };
    if (settings.refreshReduction !== 'assumed') return undefined;
    // The primary method of RFC 2961 5.3: one session's state in one message, that goes the way of its Path.
    return {
      interface: index,
      destination,
      list: isGroup ? 'SRC_LIST' : 'LIST',
      routerAlert: advert.routerAlert,
    };
  }
}

export function isMulticast(address: string): boolean {
  if (address.includes(':')) return /^ff/i.test(address);
  const first = Number.parseInt(address, 10);
  return first >= 224 && first < 240;
}
