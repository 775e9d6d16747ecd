import { readFileSync, writeFileSync } from 'node:fs';
import { configReference } from '../cli/pdp/reference.js';
import { routerReference } from '../cli/router/reference.js';
import { attributesReference } from '../policy/payment/index.js';
import { refusalsReference } from '../policy/payment/refusal.js';
import { supportTable } from '../rsvp/wire/index.js';

/** `npm run docs`: the pages that are made from the code. A test in each folder says when they are out of date. */
const page = (name: string): URL => new URL(`../../${name}`, import.meta.url);

writeFileSync(page('rsvp/wire/SUPPORT.md'), supportTable());
writeFileSync(page('policy/payment/ATTRIBUTES.md'), attributesReference());
writeFileSync(page('cli/CONFIGURATION.md'), `${configReference()}\n${routerReference()}`);

/** The prose of ELEMENT.md is written by hand; the table at its end is not. */
const element = readFileSync(page('policy/payment/ELEMENT.md'), 'utf8');
const table = refusalsReference();
const heading = table.slice(0, table.indexOf('\n'));
writeFileSync(page('policy/payment/ELEMENT.md'), element.slice(0, element.indexOf(heading)) + table);
