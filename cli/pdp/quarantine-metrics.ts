import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import { PARTY_KINDS } from '../../policy/payment/index.js';
import type { PartyKind } from '../../policy/payment/index.js';
import type { Guard } from './guard.js';

/** The numbers of a PDP's quarantine, by kind of party: `key`, `source`, `pep`. */
export function quarantineMetrics(registry: Registry, guard: Guard): void {
  const common = { labelNames: ['kind'], registers: [registry] };
  new Gauge({
    ...common,
    name: 'bandex_pdp_quarantined',
    help: 'Parties in quarantine',
    collect() {
      for (const [kind, count] of Object.entries(guard.count())) this.set({ kind }, count);
    },
  });
  const counter = (name: string, help: string, counts: Readonly<Record<PartyKind, number>>): void => {
    new Counter({
      ...common,
      name,
      help,
      collect() {
        this.reset();
        for (const kind of PARTY_KINDS) this.inc({ kind }, counts[kind]);
      },
    });
  };
  counter('bandex_pdp_quarantines_total', 'Quarantines that began at this PDP', guard.begun);
  counter(
    'bandex_pdp_quarantine_refusals_total',
    'Requests of parties in quarantine that were refused',
    guard.doorkeeper.refusals,
  );
}
