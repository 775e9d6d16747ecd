import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/**
 * The house rules that a linter can keep:
 *
 * 1. Dependencies point one way: `cli -> {overlay-hop, cops, policy, rsvp}`, `overlay-hop -> rsvp`,
 *    `policy -> rsvp/wire`, `cops -> rsvp/wire` (RFC 2749 puts RSVP objects into COPS). `cops` and
 *    `policy` do not know each other.
 * 2. Protocol logic takes octets and `now` and returns effects. Sockets, clocks, timers, files,
 *    processes and randomness live only in folders named `io/`, in `cli/`, `bench/` and tests.
 */
const part = (from, message) => ({ regex: `^(\\.\\./)+${from}`, message });

const ARROWS = {
  rsvp: [part('(cops|policy|overlay-hop|cli|bench)/', 'rsvp depends on no other part')],
  cops: [
    part('(policy|overlay-hop|cli|bench)/', 'cops does not know policy: a PDP is given a `decide` function'),
    part('rsvp/(?!wire/)', 'cops uses the wire format of rsvp only'),
  ],
  policy: [
    part('(cops|overlay-hop|cli|bench)/', 'policy does not know cops'),
    part('rsvp/(?!wire/)', 'policy uses the wire format of rsvp only'),
  ],
  'overlay-hop': [part('(cops|policy|cli|bench)/', 'overlay-hop depends on rsvp only')],
  cli: [part('bench/', 'the command does not depend on benchmarks')],
};

const EDGE_MODULES = [
  'child_process',
  'cluster',
  'dgram',
  'dns',
  'fs',
  'fs/promises',
  'http',
  'https',
  'http2',
  'net',
  'os',
  'perf_hooks',
  'process',
  'readline',
  'timers',
  'timers/promises',
  'tls',
  'worker_threads',
].map((name) => ({
  name: `node:${name}`,
  message: 'sockets, clocks, files and processes belong in an io/ folder',
}));

const RANDOM = {
  name: 'node:crypto',
  importNames: [
    'randomBytes',
    'randomUUID',
    'randomInt',
    'randomFillSync',
    'generateKeyPairSync',
    'generateKeyPair',
    'webcrypto',
    'default',
  ],
  message: 'randomness belongs in an io/ folder: take it as an argument',
};

const EDGE_GLOBALS = [
  'setTimeout',
  'setInterval',
  'setImmediate',
  'performance',
  'process',
  'console',
  'fetch',
  'crypto',
].map((name) => ({ name, message: 'clocks, timers and processes belong in an io/ folder' }));

const arrows = Object.entries(ARROWS).map(([folder, patterns]) => ({
  files: [`${folder}/**/*.ts`],
  rules: { 'no-restricted-imports': ['error', { patterns }] },
}));

const pure = Object.entries(ARROWS)
  .filter(([folder]) => folder !== 'cli')
  .map(([folder, patterns]) => ({
    files: [`${folder}/**/*.ts`],
    ignores: ['**/io/**', '**/test/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [...EDGE_MODULES, RANDOM],
          patterns: [
            ...patterns,
            { regex: '(^|/)io/', message: 'pure logic never imports an adapter; the edge imports the logic' },
          ],
        },
      ],
      'no-restricted-globals': ['error', ...EDGE_GLOBALS],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'take `now` (milliseconds) as an argument' },
        { object: 'Math', property: 'random', message: 'take randomness as an argument' },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: 'take `now` (milliseconds) as an argument',
        },
      ],
    },
  }));

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'fixtures/**/*.js'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      // `while (true)` is how a loop with its exit in the middle is written.
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  ...arrows,
  ...pure,
  {
    // Mocha's `it` and `describe` take what they like, and tests may look at things from odd angles.
    files: ['**/test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-floating-promises': 'error',
    },
  },
  {
    files: ['*.js'],
    languageOptions: { globals: { console: 'readonly', process: 'readonly', URL: 'readonly' } },
  },
  { files: ['cli/**/*.ts', 'bench/**/*.ts'], rules: { 'no-console': 'off' } },
);
