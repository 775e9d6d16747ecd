import type { Kysely } from 'kysely';
import { migrate } from '../migrate.js';
import type { Migrations } from '../migrate.js';
import type { Store } from '../store.js';

export interface OpenOptions {
  /** How long a transaction waits for a database that cannot be reached or is locked, milliseconds. Default 5000. */
  readonly patience?: number;
  /** Connections to PostgreSQL at most. Default 4. */
  readonly connections?: number;
  /** Told of what went wrong and is tried again. */
  readonly failed?: (error: Error) => void;
}

/**
 * Opens a database and brings it to the newest schema: `postgresql://user@host/name`, or the name of an SQLite file, or
 * `:memory:`.
 */
export async function openStore<Schema>(
  place: string,
  migrations: Migrations,
  options: OpenOptions = {},
): Promise<Store<Schema>> {
  // Each engine's driver is loaded only where it is used: a process starts the faster.
  const store: Store<Schema> = isPostgres(place)
    ? (await import('./postgres.js')).openPostgres<Schema>(place, options)
    : (await import('./sqlite.js')).openSqlite<Schema>(place, options);
  try {
    await migrate(store, migrations);
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

export function isPostgres(place: string): boolean {
  return /^postgres(ql)?:\/\//.test(place);
}

/** A place as a configuration gives it; a file's name is relative to that. */
export function placeAt(place: string, resolve: (name: string) => string): string {
  return isPostgres(place) || place === ':memory:' ? place : resolve(place);
}

/** A place without its password, for messages. */
export function placeText(place: string): string {
  return isPostgres(place) ? place.replace(/^(\w+:\/\/[^:@/]*):[^@/]*@/, '$1@') : place;
}

export type { Kysely };
