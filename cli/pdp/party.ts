import { KeyNoteKeyError, parsePrincipal } from '../../policy/keynote/index.js';
import type { Party } from '../../policy/payment/index.js';

/** A party as people know it: a key by its name, where it has one, or by its fingerprint. */
export function shownParty({ kind, id }: Party, names: ReadonlyMap<string, string>): string {
  if (kind !== 'key') return id;
  try {
    const principal = parsePrincipal(id);
    return names.get(principal.id) ?? principal.fingerprint;
  } catch (error) {
    if (error instanceof KeyNoteKeyError) return id;
    throw error;
  }
}
