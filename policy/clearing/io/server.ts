import swagger from '@fastify/swagger';
import fastify from 'fastify';
import type { FastifyRequest } from 'fastify';
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import type { AddressInfo } from 'node:net';
import type { TlsOptions } from 'node:tls';
import type { AlgorithmChoice, Principal } from '../../keynote/index.js';
import type { ClearingCentre } from '../clearing.js';
import { identify, screen } from './identity.js';
import { DEFAULT_SERVER_LIMITS } from './limits.js';
import type { ServerLimits } from './limits.js';
import { ClearingMetrics } from './metrics.js';
import { answerClientError, answerError, ApiProblem, bodyOf } from './problems.js';
import { routes } from './routes.js';
import type { App } from './routes.js';

export interface ClearingLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface ClearingServerOptions {
  readonly centre: ClearingCentre;
  /** Keys that may do everything. */
  readonly operators?: readonly Principal[];
  /** Certificate, key, and who may sign clients' certificates. Without it HTTP is plain: only behind something, or for a test. */
  readonly tls?: TlsOptions;
  readonly limits?: Partial<ServerLimits>;
  /** What payments are judged and booked by; milliseconds since 1970. */
  readonly clock?: () => number;
  /** What the time of a signed request is compared with; the same, unless it is told otherwise. */
  readonly wallClock?: () => number;
  /** Which signatures of requests count; default `modern`. */
  readonly algorithms?: AlgorithmChoice;
  /** How far the time of a signed request may be from ours. Default five minutes. */
  readonly skew?: number;
  readonly log?: ClearingLog;
}

const SILENT: ClearingLog = { info: () => undefined, warn: () => undefined, error: () => undefined };
const SKEW = 300_000;
const NOTHING = new Uint8Array();

/** The clearing centre over HTTPS. */
export class ClearingServer {
  readonly metrics: ClearingMetrics;
  readonly #app: App;
  readonly #identity;
  readonly #clock: () => number;
  readonly #wallClock: () => number;
  #isReady = false;
  #underWay = 0;

  constructor(private readonly options: ClearingServerOptions) {
    const { centre, operators = [], clock = Date.now, skew = SKEW, log = SILENT } = options;
    this.#clock = clock;
    this.#wallClock = options.wallClock ?? clock;
    this.#identity = { directory: centre.directory, operators, skew, algorithms: options.algorithms };
    this.metrics = new ClearingMetrics(() => centre.entries());
    this.#app = newApp(options);
    this.#prepare(log);
  }

  /** Requests that have no answer yet. */
  get underWay(): number {
    return this.#underWay;
  }

  async listen(address: string, port: number): Promise<AddressInfo> {
    await this.#app.listen({ host: address, port });
    this.#isReady = true;
    return this.#app.server.address() as AddressInfo;
  }

  /** Takes nothing new; what is under way gets its answer. */
  async close(): Promise<void> {
    this.#isReady = false;
    await this.#app.close();
    await this.options.centre.idle();
  }

  /** The OpenAPI document, as it is served. */
  async openapi(): Promise<unknown> {
    await this.#app.ready();
    return this.#app.swagger();
  }

  #prepare(log: ClearingLog): void {
    const app = this.#app;
    const { centre } = this.options;
    app.setValidatorCompiler(validatorCompiler);
    app.setSerializerCompiler(serializerCompiler);
    app.setErrorHandler(answerError((error) => log.error({ err: error }, 'failed')));
    app.setNotFoundHandler(async (request, reply) => {
      const problem = new ApiProblem(
        404,
        'not-found',
        'there is nothing here: /openapi.json says what there is',
      );
      await reply.code(404).send(bodyOf(problem, `${request.method} ${request.url.slice(0, 256)}`));
    });
    app.decorateRequest('identity', undefined);
    app.decorateRequest('octets', null as unknown as Uint8Array);
    readBodies(app);
    app.addHook('onRequest', (request, reply, done) => {
      request.octets = NOTHING;
      this.#underWay++;
      reply.raw.once('close', () => this.#underWay--);
      if (isAuthenticated(request)) screen(request, this.#wallClock(), this.#identity);
      done();
    });
    // Before the request is looked at: strangers do not learn what is wrong with it.
    app.addHook('preValidation', (request, _reply, done) => {
      if (isAuthenticated(request))
        request.identity = identify(request, request.octets, this.#wallClock(), this.#identity);
      done();
    });
    app.addHook('onResponse', (request, reply, done) => {
      const route = request.routeOptions.url ?? 'unknown';
      this.metrics.requested(`${request.method} ${route}`, reply.statusCode, reply.elapsedTime / 1000);
      if (reply.statusCode >= 400 && isAuthenticated(request))
        log.warn({ peer: request.ip, method: request.method, route, status: reply.statusCode }, 'not done');
      done();
    });
    app.register(swagger, { openapi: OPENAPI, transform: jsonSchemaTransform });
    app.register((inner, _options, done) => {
      routes(inner, {
        centre,
        clock: this.#clock,
        metrics: this.metrics,
        log: (fields, message) => log.info(fields, message),
      });
      this.#public(inner);
      done();
    });
  }

  #public(app: App): void {
    const hide = { schema: { hide: true } };
    app.get('/openapi.json', hide, () => Promise.resolve(app.swagger()));
    app.get('/-/healthy', hide, async (_request, reply) => reply.type('text/plain').send('healthy\n'));
    app.get('/-/ready', hide, async (_request, reply) => {
      const isReady =
        this.#isReady &&
        (await this.options.centre.entries().then(
          () => true,
          () => false,
        ));
      return reply
        .code(isReady ? 200 : 503)
        .type('text/plain')
        .send(isReady ? 'ready\n' : 'not ready\n');
    });
    app.get('/metrics', hide, async (_request, reply) =>
      reply.type(this.metrics.registry.contentType).send(await this.metrics.registry.metrics()),
    );
  }
}

const OPENAPI = {
  openapi: '3.1.0' as const,
  info: {
    title: 'bandex clearing centre',
    version: '1',
    description: 'Deposits of reservation payments, statements, settlement. See policy/clearing/README.md.',
  },
  components: {
    securitySchemes: {
      // OpenAPI 3.1 has it, the types have not yet.
      certificate: { type: 'mutualTLS' } as never,
      signature: {
        ...{ type: 'apiKey' as const, in: 'header', name: 'Authorization' },
        description: 'KeyNote principal="...", at="...", signature="...": see policy/clearing/README.md',
      },
    },
  },
};

function newApp({ tls, limits: some, log = SILENT }: ClearingServerOptions): App {
  const limits = { ...DEFAULT_SERVER_LIMITS, ...some };
  const { headersTimeout, requestTimeout } = limits;
  // Node looks for slow requests only now and then: here, often enough for the shortest of our times.
  const connectionsCheckingInterval = Math.min(1000, headersTimeout, requestTimeout);
  const http = { headersTimeout, requestTimeout, connectionsCheckingInterval };
  const common = {
    ...{ bodyLimit: limits.body, requestTimeout, connectionTimeout: limits.idleTimeout, logger: false },
    ...{
      keepAliveTimeout: limits.idleTimeout,
      forceCloseConnections: 'idle' as const,
      exposeHeadRoutes: false,
    },
    clientErrorHandler: answerClientError,
    routerOptions: { maxParamLength: 256 },
  };
  const app = (tls === undefined
    ? fastify({ ...common, http })
    : fastify({
        ...common,
        // A wrong certificate gets an answer that says so, instead of a connection that ends.
        https: {
          ...http,
          handshakeTimeout: headersTimeout,
          requestCert: tls.ca !== undefined,
          rejectUnauthorized: false,
          ...tls,
        },
      })) as unknown as App;
  app.server.maxConnections = limits.connections;
  app.server.headersTimeout = headersTimeout;
  app.server.on('drop', () => log.warn({ connections: limits.connections }, 'connection refused: too many'));
  return app;
}

/** The octets are kept for the signature over them. */
function readBodies(app: App): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    request.octets = body as Buffer;
    if (body.length === 0) done(null, undefined);
    else void parse(request, body.toString('utf8'), done);
  });
}

function isAuthenticated({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.url?.startsWith('/v1/') === true;
}
