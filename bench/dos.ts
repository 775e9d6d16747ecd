import Table from 'cli-table3';
import { Story } from './bogus.js';
import type { Attack } from './bogus.js';
import { medianMicros } from './measure.js';
import { KINDS } from './request.js';

export interface Row {
  readonly keys: string;
  readonly attack: string;
  readonly octets: number;
  /** Microseconds to decode, refuse and count it. */
  readonly us: number;
  /** Microseconds to make another one. */
  readonly attacker: number;
}

const WARM_UP = 500;

/** What bogus requests cost us, and those who send them: medians, both on one thread of the same machine. */
export function main(calls = 1000): Row[] {
  const rows = KINDS.filter(({ algorithms }) => algorithms === 'modern').flatMap((kind) => {
    const story = new Story(kind);
    return story.attacks().flatMap((attack) => {
      const measured = [measure(story, attack, kind.name, calls)];
      if (attack.name.startsWith('a customer'))
        for (const shut of ['key', 'source'] as const)
          measured.push(measure(story, attack, kind.name, calls, shut));
      return measured;
    });
  });
  const table = new Table({
    head: ['keys', 'request', 'octets', 'us µs', 'attacker µs', 'us : attacker', 'refused/s, one core'],
    colAligns: ['left', 'left', ...Array<'right'>(5).fill('right')],
    style: { head: [], border: [], compact: true },
  });
  for (const { keys, attack, octets, us, attacker } of rows) {
    const ratio = (us / attacker).toFixed(2);
    table.push([keys, attack, octets, us.toFixed(1), attacker.toFixed(1), ratio, Math.round(1e6 / us)]);
  }
  console.log(
    'Bogus requests: microseconds to decode, refuse and count one, beside those to make another that was never sent before:\n' +
      'a message made once, copied, changed in place and signed where it must be. COPS and the packet itself are not in it.',
  );
  console.log(table.toString());
  return rows;
}

function measure(story: Story, attack: Attack, keys: string, calls: number, shut?: 'key' | 'source'): Row {
  const decide = story.node(shut);
  const messages = Array.from({ length: calls + WARM_UP }, (_, i) => attack.next(i));
  const expected = shut === undefined ? attack.reason : 'quarantined';
  const refuse = (i: number): void => {
    const { refusal } = decide(messages[i] ?? Buffer.alloc(0));
    if (refusal?.reason !== expected) throw new Error(`${attack.name}: ${refusal?.reason ?? 'granted'}`);
  };
  for (let i = 0; i < WARM_UP; i++) refuse(i);
  const us = medianMicros(calls, (i) => refuse(i + WARM_UP));
  const attacker = medianMicros(calls, (i) => void attack.next(i));
  const during = shut === undefined ? '' : `, ${shut === 'key' ? 'her key' : 'its source'} in quarantine`;
  return { keys, attack: `${attack.name}${during}`, octets: attack.octets, us, attacker };
}
