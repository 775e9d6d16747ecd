import type { FastifyInstance, RawServerDefault, FastifyBaseLogger } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ClearingCentre } from '../clearing.js';
import * as api from './api.js';
import type { Identity } from './identity.js';
import { forbidden, ispOf, operatorOnly } from './identity.js';
import type { ClearingMetrics } from './metrics.js';
import { ApiProblem } from './problems.js';

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

declare module 'fastify' {
  interface FastifyRequest {
    /** Octets of the body, for its signature. */
    octets: Uint8Array;
    /** Set before a handler of /v1 runs. */
    identity: Identity | undefined;
  }
}

export interface RouteOptions {
  readonly centre: ClearingCentre;
  readonly clock: () => number;
  readonly metrics: ClearingMetrics;
  readonly log: (fields: object, message: string) => void;
}

const failures = { '4xx': api.problem, '5xx': api.problem };
const operation = (summary: string, description?: string) => ({
  summary,
  ...(description === undefined ? {} : { description }),
  security: [{ certificate: [] }, { signature: [] }],
});

/** /v1: what accounts and operators ask. */
export function routes(app: App, { centre, clock, metrics, log }: RouteOptions): void {
  const { directory } = centre;

  app.post(
    '/v1/deposits',
    {
      schema: {
        ...operation('Hand in payments', 'Idempotent: what is not answered is handed in again.'),
        body: api.depositsBody,
        querystring: api.accountQuery,
        response: { 200: api.depositAnswers, ...failures },
      },
    },
    async (request) => {
      const isp = ispOf(who(request), directory, request.query.account);
      const answers = await centre.deposit(isp, request.body, clock());
      metrics.answered('deposit', answers);
      log({ isp: isp.id, ...counts(answers) }, 'deposits');
      for (const { answer, id, reason } of answers)
        if (answer === 'double-spent') log({ isp: isp.id, id, reason }, 'double-spent');
      return plain({ answers });
    },
  );

  app.post(
    '/v1/holds',
    {
      schema: {
        ...operation('Reserve credit for checks that will be deposited'),
        body: api.holdsBody,
        querystring: api.accountQuery,
        response: { 200: api.holdAnswers, ...failures },
      },
    },
    async (request) => {
      const isp = ispOf(who(request), directory, request.query.account);
      const answers = await centre.hold(isp, request.body, clock());
      metrics.answered('hold', answers);
      log({ isp: isp.id, ...counts(answers) }, 'holds');
      return plain({ answers });
    },
  );

  app.delete(
    '/v1/holds/:id',
    {
      schema: {
        ...operation('Free what is held'),
        params: api.idParams,
        querystring: api.accountQuery,
        response: { 200: api.released, ...failures },
      },
    },
    async (request) => {
      const isp = ispOf(who(request), directory, request.query.account);
      return { released: await centre.release(isp.id, request.params.id) };
    },
  );

  app.get(
    '/v1/accounts',
    {
      schema: {
        ...operation('Accounts and what they have', 'An operator sees all, others their own.'),
        response: { 200: api.accountsAnswer, ...failures },
      },
    },
    async (request) => {
      const { isOperator, account } = who(request);
      const accounts = await centre.accounts(clock(), isOperator ? undefined : account);
      return plain({ accounts });
    },
  );

  app.get(
    '/v1/accounts/:id/statement',
    {
      schema: {
        ...operation('What was booked on an account'),
        params: api.idParams,
        querystring: api.statementQuery,
        response: { 200: api.statementAnswer, ...failures },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { currency, from, to, after, limit } = request.query;
      const { isOperator, account } = who(request);
      if (!isOperator && id !== account) throw forbidden(`the key is not one of account ${id.slice(0, 100)}`);
      const statement = await centre.statement({
        ...{ account: id, currency, limit, after },
        ...(from === undefined ? {} : { from: Date.parse(from) }),
        ...(to === undefined ? {} : { to: Date.parse(to) }),
      });
      if (statement === undefined)
        throw new ApiProblem(404, 'not-found', `there is no account \`${id.slice(0, 100)}\``);
      return plain(statement);
    },
  );

  app.get(
    '/v1/settlements',
    {
      schema: {
        ...operation(
          'Settlement batches, newest first',
          'An operator sees all, others those that they have part in.',
        ),
        response: { 200: api.batches, ...failures },
      },
    },
    async (request) => {
      const { isOperator, account } = who(request);
      return plain({ settlements: await centre.settlements(isOperator ? undefined : account) });
    },
  );

  app.post(
    '/v1/settlements',
    {
      schema: {
        ...operation('Settle all that was deposited up to now (operators)'),
        response: { 200: api.batches, ...failures },
      },
    },
    async (request) => {
      operatorOnly(who(request));
      const settlements = await centre.settle(clock());
      log({ batches: settlements.length }, 'settled');
      return plain({ settlements });
    },
  );

  app.post(
    '/v1/settlements/:id/paid',
    {
      schema: {
        ...operation('Book that a batch was paid (operators)'),
        params: api.batchParams,
        response: { 200: api.batch, ...failures },
      },
    },
    async (request) => {
      operatorOnly(who(request));
      const paid = await centre.paid(request.params.id, clock());
      if (paid.answer === 'unknown')
        throw new ApiProblem(404, 'not-found', `there is no batch ${request.params.id}`);
      log({ batch: paid.batch.batch, answer: paid.answer }, 'paid');
      return plain(paid.batch);
    },
  );

  let running: ReturnType<ClearingCentre['audit']> | undefined;
  app.get(
    '/v1/audit',
    {
      schema: {
        ...operation(
          'Work out everything again (operators)',
          '`verify=true` asks the policy about each payment again.',
        ),
        querystring: api.auditQuery,
        response: { 200: api.auditAnswer, ...failures },
      },
    },
    async (request) => {
      operatorOnly(who(request));
      // It reads everything: one at a time.
      await running?.catch(() => undefined);
      running = centre.audit({ verify: request.query.verify === 'true' });
      return plain(await running);
    },
  );
}

function who({ identity }: { readonly identity: Identity | undefined }): Identity {
  if (identity === undefined) throw new ApiProblem(401, 'unauthenticated', 'who asks is not known');
  return identity;
}

/** Fastify's types ask for what can be changed; nobody changes it. */
function plain<Value>(value: Value): Plain<Value> {
  return value as Plain<Value>;
}
type Plain<Value> = Value extends object ? { -readonly [Key in keyof Value]: Plain<Value[Key]> } : Value;

function counts(answers: readonly { readonly answer: string }[]): Record<string, number> {
  const count: Record<string, number> = {};
  for (const { answer } of answers) count[answer] = (count[answer] ?? 0) + 1;
  return count;
}
