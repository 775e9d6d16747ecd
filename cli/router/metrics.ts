import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { CounterView, InterfaceView, PolicyView } from './control/views.js';

/** Where the numbers come from when somebody asks for them. */
export interface RouterNumbers {
  readonly counters: () => Iterable<CounterView>;
  readonly interfaces: () => Iterable<InterfaceView>;
  readonly policy: () => PolicyView;
  /** How often each kind of event was. */
  readonly events: ReadonlyMap<string, number>;
}

/** The router's numbers for Prometheus. All labels are from closed lists, or names of interfaces. */
export function routerMetrics({ counters, interfaces, policy, events }: RouterNumbers): Registry {
  const registry = new Registry();
  const registers = [registry];
  const counter = (name: string, help: string, label: string, values: () => Iterable<[string, number]>) =>
    new Counter({
      name,
      help,
      labelNames: [label],
      registers,
      collect() {
        this.reset();
        for (const [value, count] of values()) this.inc({ [label]: value }, count);
      },
    });
  const gauge = (name: string, help: string, label: string, values: () => Iterable<[string, number]>) =>
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers,
      collect() {
        this.reset();
        for (const [value, count] of values()) this.set({ [label]: value }, count);
      },
    });
  const under = (before: string) => () =>
    [...counters()].flatMap(({ counter: name, value }): [string, number][] =>
      name.startsWith(before) ? [[name.slice(before.length), value]] : [],
    );
  const of = (value: (one: InterfaceView) => number) => () =>
    [...interfaces()].map((one): [string, number] => [one.interface, value(one)]);

  counter('bandex_router_events_total', 'What happened, by kind', 'kind', () => events);
  counter('bandex_router_dropped_total', 'Messages without effect, by cause', 'cause', under('dropped.'));
  counter('bandex_router_engine_total', 'Messages, refusals, pre-emptions ...', 'what', under('engine.'));
  counter('bandex_router_transport_total', 'Packets, as the kernel has them', 'what', under('transport.'));
  gauge('bandex_router_state', 'What is held', 'what', under('state.'));
  gauge(
    'bandex_router_reservable_octets',
    'May be reserved, octets a second',
    'interface',
    of((one) => one.reservable),
  );
  gauge(
    'bandex_router_reserved_octets',
    'Is reserved, octets a second',
    'interface',
    of((one) => one.reserved),
  );
  gauge(
    'bandex_router_reservations',
    'Reservations in force',
    'interface',
    of((one) => one.reservations),
  );
  counter(
    'bandex_router_received_total',
    'RSVP packets received',
    'interface',
    of((one) => one.received),
  );
  counter(
    'bandex_router_sent_total',
    'RSVP packets sent',
    'interface',
    of((one) => one.sent),
  );
  counter('bandex_router_policy_total', 'Answers of policy', 'answer', () => [
    ['granted', policy().granted],
    ['refused', policy().refused],
  ]);
  gauge('bandex_router_policy_pending', 'Questions to policy without an answer', 'module', () => [
    [policy().module, policy().pending],
  ]);
  collectDefaultMetrics({ register: registry });
  return registry;
}
