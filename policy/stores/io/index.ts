/** Databases of money: `openStore`, and the books of a policy server in one. See README.md in `policy/stores`. */
export { BooksDeposits } from '../books/deposit-source.js';
export { StoredBooks } from './books.js';
export type { BooksOptions } from './books.js';
export { openStore, placeText } from './open.js';
export type { OpenOptions } from './open.js';
export { StoreUnavailable } from '../store.js';
export type { EngineName, Store } from '../store.js';
