import { Core } from '../../rsvp/engine/core.js';
import { Engine } from '../../rsvp/engine/engine.js';
import type { Blockade } from '../../rsvp/engine/state.js';
import { Upstream } from '../../rsvp/engine/state.js';
import { Exchange } from '../../rsvp/exchange/exchange.js';

/** A mistake made on purpose: whoever cannot find it would not find one made by accident. */
export interface Mutation {
  readonly name: string;
  /** Makes it, for all engines; returns what takes it back. */
  readonly make: () => () => void;
}

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'path state lives for ever',
    make: () => replaced(Core.prototype, 'pathExpired', () => () => undefined),
  },
  {
    name: 'reservations live for ever',
    make: () => replaced(Core.prototype, 'reservationExpired', () => () => undefined),
  },
  {
    name: 'reservations live no longer than a refresh period',
    make: () => replaced(Core.prototype, 'lifetime', () => (refreshPeriod: number) => refreshPeriod),
  },
  {
    name: 'wildcard reservations carry no SCOPE',
    make: () =>
      replaced(
        Upstream.prototype,
        'message',
        (before) =>
          function (this: Upstream) {
            const message = before.call(this);
            return { ...message, objects: message.objects.filter(({ class: name }) => name !== 'SCOPE') };
          },
      ),
  },
  {
    name: 'the first request goes on in place of the least upper bound',
    make: () =>
      replaced(
        Upstream.prototype,
        'message',
        (before) =>
          function (this: Upstream) {
            const { contents, session } = this;
            const flow = session.reservations[0]?.contents?.flow;
            if (contents === undefined || flow === undefined) return before.call(this);
            const descriptors = contents.descriptors.map(({ senders }) => ({ flow, senders }));
            this.contents = { ...contents, descriptors };
            const message = before.call(this);
            this.contents = contents;
            return message;
          },
      ),
  },
  {
    name: 'blockade state is forgotten at once',
    make: () =>
      replaced(
        Core.prototype,
        'watch',
        (before) =>
          function (this: Core, state: Parameters<Core['watch']>[0]) {
            if ('flow' in state) (state as Blockade).expiresAt = 0;
            before.call(this, state);
          },
      ),
  },
  {
    name: 'what was torn down is refreshed as before',
    make: () => replaced(Exchange.prototype, 'forget', () => () => undefined),
  },
  {
    name: 'tears go no further',
    make: () =>
      replaced(
        Core.prototype,
        'send',
        (before) =>
          function (this: Core, now: number, outgoing: Parameters<Core['send']>[1]) {
            const { msgType } = outgoing.message;
            if (msgType !== 5 && msgType !== 6) before.call(this, now, outgoing);
          },
      ),
  },
  {
    name: 'changes of routes go unheeded',
    make: () => replaced(Engine.prototype, 'routesChanged', () => () => []),
  },
  {
    name: 'path state stays on the old route',
    make: () => replaced(Core.prototype, 'repairDue', () => () => undefined),
  },
  {
    name: 'refreshes by number count for nothing',
    make: () => replaced(Exchange.prototype, 'bind', () => () => undefined),
  },
  {
    name: 'a confirmation is not sent',
    make: () =>
      replaced(
        Core.prototype,
        'send',
        (before) =>
          function (this: Core, now: number, outgoing: Parameters<Core['send']>[1]) {
            if (outgoing.message.msgType !== 7) before.call(this, now, outgoing);
          },
      ),
  },
  {
    name: 'a session is kept when nothing is left in it',
    make: () => replaced(Core.prototype, 'tidy', () => () => undefined),
  },
  {
    name: 'all state is told again and again',
    make: () => replaced(Core.prototype, 'refreshPeriod', () => () => 3000),
  },
];

function replaced<T extends object, K extends keyof T & string>(
  prototype: T,
  name: K,
  by: (before: T[K]) => T[K],
): () => void {
  const before = Object.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor;
  Object.defineProperty(prototype, name, { ...before, value: by(before.value as T[K]) });
  return () => {
    Object.defineProperty(prototype, name, before);
  };
}
