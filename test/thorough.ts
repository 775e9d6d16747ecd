/** `BANDEX_THOROUGH=1 npm test` tries all of what is otherwise tried in part: it takes some minutes more. */
export const THOROUGH = process.env['BANDEX_THOROUGH'] === '1';
