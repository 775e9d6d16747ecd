import { writeFileSync } from 'node:fs';
import { supportTable } from '../rsvp/wire/index.js';

/** `npm run docs`: the pages that are made from the code. A test in each folder says when they are out of date. */
writeFileSync(new URL('../../rsvp/wire/SUPPORT.md', import.meta.url), supportTable());
