/** Every answer that is not a success is application/problem+json (RFC 9457) with a code of `ERROR_CODES`. */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ERROR_CODES, type ErrorCode, PlimsollError } from '../../errors.ts';
import type { Problem } from '../schemas/problem.ts';

const PROBLEM_TYPE = 'application/problem+json';
const PROBLEM_HEADERS = { 'content-type': PROBLEM_TYPE, connection: 'close' } as const;
/** Seconds: work is counted in milliseconds, so a queue that is full now has room soon. */
const RETRY_AFTER = '1';

export function problemOf(error: PlimsollError): Problem {
  const { code, message, path, account } = error;
  const [status, sentence] = ERROR_CODES[code];
  return {
    type: `urn:plimsoll:problem:${code.toLowerCase().replaceAll('_', '-')}`,
    title: sentence,
    status,
    detail: message,
    code,
    ...(path === undefined || path === '' ? {} : { path }),
    ...(account === undefined || account === '' ? {} : { account }),
  };
}

/** Codes of the framework's own errors. */
const FRAMEWORK_CODES: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'UNSUPPORTED_MEDIA_TYPE',
  FST_ERR_CTP_BODY_TOO_LARGE: 'TOO_LARGE',
  FST_ERR_NOT_FOUND: 'NOT_FOUND',
};

/**
 * The error as one of ours. What the framework says of a request is passed on; the message of anything else may name what is no
 * caller's business, and stays in the log.
 */
function asProblem(error: FastifyError | PlimsollError): PlimsollError {
  if (error instanceof PlimsollError) return error;
  const known = FRAMEWORK_CODES[error.code];
  if (known !== undefined) return new PlimsollError(known, error.message);
  const status = error.statusCode ?? 500;
  if (status === 404) return new PlimsollError('NOT_FOUND', error.message);
  if (status === 413) return new PlimsollError('TOO_LARGE', error.message);
  if (status >= 400 && status < 500) return new PlimsollError('MALFORMED_REQUEST', error.message);
  return new PlimsollError('INTERNAL', 'an unexpected fault; the log of the service has it');
}

export function sendProblem(
  thrown: FastifyError | PlimsollError,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  // A body that broke off fails with the socket's error: nobody is there to be answered.
  const gone = reply.raw.destroyed || reply.raw.socket?.destroyed === true;
  const error = gone ? new PlimsollError('CANCELLED', 'the caller has gone') : asProblem(thrown);
  if (error.status >= 500) request.log.error({ err: thrown }, 'request failed');
  else request.log.debug({ err: thrown }, 'request refused');
  if (error.status === 503) reply.header('retry-after', RETRY_AFTER);
  // The rest of a refused body is not waited for.
  if (!request.raw.complete) reply.header('connection', 'close');
  reply
    .code(error.status)
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(problemOf(error)));
}

export function addProblems(app: FastifyInstance): void {
  const methods = new PathMethods();
  app.addHook('onRoute', ({ url, method }) => methods.add(url, [method].flat()));
  app.addHook('onRequest', async (request, reply) => {
    if (request.headers.host !== undefined || request.raw.httpVersion === '1.0') return;
    reply.header('connection', 'close');
    throw new PlimsollError('MALFORMED_REQUEST', 'an HTTP/1.1 request must name its host');
  });
  app.server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    const error = new PlimsollError('MALFORMED_REQUEST', 'only 100-continue can be expected');
    const body = JSON.stringify(problemOf(error));
    const length = Buffer.byteLength(body);
    response.writeHead(error.status, { ...PROBLEM_HEADERS, 'content-length': length }).end(body);
  });
  app.setErrorHandler<FastifyError>(sendProblem);
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0]!;
    const allowed = methods.of(path);
    if (allowed.length === 0 || allowed.includes(request.method)) {
      throw new PlimsollError('NOT_FOUND', `there is nothing at ${path}`);
    }
    const names = allowed.join(', ');
    reply.header('allow', names);
    throw new PlimsollError('METHOD_NOT_ALLOWED', `${path} is for ${names} only`);
  });
}

/** Which methods a path has, whatever stands where its parameters are. */
class PathMethods {
  private readonly known = new Map<
    string,
    { readonly path: RegExp; readonly names: Set<string> }
  >();

  /** @param url as routes are declared: `/v1/accounts/:id` */
  add(url: string, names: readonly string[]): void {
    let route = this.known.get(url);
    if (route === undefined) {
      route = { path: pathPattern(url), names: new Set() };
      this.known.set(url, route);
    }
    for (const name of names) route.names.add(name);
  }

  /** In alphabetical order; none for a path that is nowhere. */
  of(path: string): readonly string[] {
    const routes = [...this.known.values()].filter((route) => route.path.test(path));
    return [...new Set(routes.flatMap(({ names }) => [...names]))].sort();
  }
}

/** A parameter is one segment of the path and not empty; `*` is all the rest of it. */
function pathPattern(url: string): RegExp {
  const literal = url.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&');
  const pattern = literal.replaceAll(/:[^/]+/g, '[^/]+').replaceAll('*', '.*');
  return new RegExp(`^${pattern}$`);
}

/** Sockets whose answer has begun: a problem written into it would look like a part of it. */
const answering = new WeakSet<object>();

export function addAnswerMarks(app: FastifyInstance): void {
  app.addHook('onSend', async (request, reply) => {
    const { socket } = request.raw;
    answering.add(socket);
    reply.raw.once('close', () => answering.delete(socket));
  });
}

const PARSER_CODES: Readonly<Record<string, ErrorCode>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'REQUEST_TIMEOUT',
  HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
};

/** What is no HTTP, or comes too slowly, has no request to answer: the problem is written on the socket itself. */
export function onClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || answering.has(socket)) {
    socket.destroy();
    return;
  }
  const code = PARSER_CODES[error.code ?? ''] ?? 'MALFORMED_REQUEST';
  const problem = problemOf(new PlimsollError(code, ERROR_CODES[code][1]));
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
    ...Object.entries(PROBLEM_HEADERS).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
