import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import type { Socket } from 'node:net';
import { StoreUnavailable } from '../../stores/store.js';

/** What is answered instead of a result: `{error, message, where}`. */
export class ApiProblem extends Error {
  constructor(
    readonly status: 400 | 401 | 403 | 404 | 405 | 408 | 413 | 415 | 431 | 500 | 503,
    readonly error: string,
    message: string,
    readonly where?: string,
  ) {
    super(message);
    this.name = 'ApiProblem';
  }
}

/** Any error as a problem; undefined for one of our own, which is not shown. */
function problemOf(error: FastifyError | Error): ApiProblem | undefined {
  if (error instanceof ApiProblem) return error;
  if (error instanceof StoreUnavailable)
    return new ApiProblem(503, 'unavailable', 'the database is not available: nothing was done, try again');
  if (hasZodFastifySchemaValidationErrors(error)) {
    const [first] = error.validation;
    const where = (first?.instancePath ?? '')
      .replace(/^\//, '')
      .replace(/\/(\d+)/g, '[$1]')
      .replaceAll('/', '.');
    return new ApiProblem(
      400,
      'bad-request',
      lower(first?.message ?? error.message),
      where === '' ? undefined : where,
    );
  }
  const status = 'statusCode' in error ? error.statusCode : undefined;
  if (status === 413) return new ApiProblem(413, 'too-large', 'the body has more octets than are taken');
  if (status === 415) return new ApiProblem(415, 'bad-request', 'expected content-type application/json');
  if (status !== undefined && status >= 400 && status < 500)
    return new ApiProblem(400, 'bad-request', lower(error.message));
  if (status === 503)
    return new ApiProblem(503, 'unavailable', 'the server is about to end: try another, or later');
  return undefined;
}

/** `failed` is told of errors of our own. */
export function answerError(failed: (error: Error) => void) {
  return async (error: FastifyError, request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    let problem = problemOf(error);
    if (problem === undefined) {
      failed(error);
      problem = new ApiProblem(500, 'internal', 'something is wrong here; it is in the log');
    }
    if (problem.status === 401) reply.header('www-authenticate', 'KeyNote');
    if (problem.status === 503) reply.header('retry-after', '1');
    // What was not read of the body would be taken for the next request.
    if (problem.status === 413 || problem.status === 401) reply.header('connection', 'close');
    await reply.code(problem.status).send(bodyOf(problem, pathOf(request)));
  };
}

export function bodyOf(problem: ApiProblem, where: string) {
  return { error: problem.error, message: problem.message.slice(0, 1 << 12), where: problem.where ?? where };
}

function pathOf({ url }: FastifyRequest): string {
  return (url.split('?')[0] ?? '').slice(0, 256);
}

function lower(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1).replace(/\.$/, '');
}

/** What is no HTTP, or too slow to become a request. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return;
  const [status, problem] =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? ['408 Request Timeout', new ApiProblem(408, 'timeout', 'the request did not come in time')]
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? [
            '431 Request Header Fields Too Large',
            new ApiProblem(431, 'too-large', 'the head of the request is too large'),
          ]
        : ['400 Bad Request', new ApiProblem(400, 'bad-request', 'this is no HTTP request')];
  const body = JSON.stringify(bodyOf(problem, 'the connection'));
  const head = `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n`;
  socket.end(head + body, () => socket.destroy());
}
