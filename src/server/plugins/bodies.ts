/** Request bodies: read whole under a bound, or as a stream under a guard; and the signal that says that the caller has gone. */
import { setMaxListeners } from 'node:events';
import type { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PlimsollError } from '../../errors.ts';
import { decodeText, parseJson } from '../../json.ts';
import type { ServerContext } from '../context.ts';

/**
 * Reads a whole body, uses it, and lets go of it. Its bytes count against what the application may hold at once.
 * @param limit bytes of the body, at most
 * @throws TOO_LARGE, SATURATED, REQUEST_TIMEOUT
 */
export async function withBody<T>(
  request: FastifyRequest,
  limit: number,
  { limits, bodies }: Pick<ServerContext, 'limits' | 'bodies'>,
  use: (bytes: Buffer) => Promise<T>,
): Promise<T> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > limit) throw tooLarge(limit);
  let reserved = 0;
  const reserve = (bytes: number): void => {
    if (bodies.held + bytes > limits.bodiesBytes) {
      const message = `bodies of ${bodies.held} bytes are being read, of ${limits.bodiesBytes} at most`;
      throw new PlimsollError('SATURATED', message);
    }
    bodies.held += bytes;
    reserved += bytes;
  };
  try {
    return await use(await collect(request, { limit, timeoutMs: limits.bodyMs, reserve }));
  } finally {
    bodies.held -= reserved;
  }
}

/** A body that is parsed here, strictly. */
export function withJson<T>(
  request: FastifyRequest,
  limit: number,
  context: ServerContext,
  use: (value: unknown) => Promise<T>,
): Promise<T> {
  return withBody(request, limit, context, (bytes) => use(parseJson(decodeText(bytes))));
}

interface Collecting {
  readonly limit: number;
  readonly timeoutMs: number;
  readonly reserve: (bytes: number) => void;
}

function collect(request: FastifyRequest, { limit, timeoutMs, reserve }: Collecting) {
  const source = request.body as Readable | undefined;
  if (source === undefined) return Promise.resolve(Buffer.alloc(0));
  return new Promise<Buffer>((resolve, reject) => {
    const pieces: Buffer[] = [];
    let total = 0;
    const stop = (): void => {
      clearTimeout(timer);
      source.off('data', onData).off('end', onEnd).off('error', fail).off('close', onClose);
    };
    const fail = (error: Error): void => {
      stop();
      source.pause();
      // What fails from here on fails on a body that nobody reads.
      source.on('error', () => {});
      reject(error);
    };
    const timer = setTimeout(() => fail(tooSlow(timeoutMs)), timeoutMs);
    const onData = (piece: Buffer): void => {
      try {
        total += piece.length;
        if (total > limit) throw tooLarge(limit);
        reserve(piece.length);
        pieces.push(piece);
      } catch (error) {
        fail(error as Error);
      }
    };
    const onEnd = (): void => {
      stop();
      resolve(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, total));
    };
    const onClose = (): void => fail(new PlimsollError('CANCELLED', 'the caller has gone'));
    source.on('data', onData).on('end', onEnd).on('error', fail).on('close', onClose);
  });
}

function tooLarge(limit: number): PlimsollError {
  return new PlimsollError('TOO_LARGE', `the body is larger than ${limit} bytes`);
}

function tooSlow(ms: number): PlimsollError {
  return new PlimsollError('REQUEST_TIMEOUT', `the body did not come within ${ms} ms`);
}

/**
 * The body as it comes. It is not destroyed when its reader stops early: the socket is still needed, to say why.
 * @throws REQUEST_TIMEOUT when nothing comes for `stallMs` although it is asked for
 */
export async function* streamBody(
  request: FastifyRequest,
  stallMs: number,
): AsyncGenerator<Uint8Array> {
  const body = request.body as Readable | undefined;
  if (body === undefined) return;
  const source = body.iterator({ destroyOnReturn: false });
  for (;;) {
    const piece = await before(source.next(), stallMs);
    if (piece.done === true) return;
    yield piece.value as Uint8Array;
  }
}

async function before<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooSlow(ms)), ms);
  });
  // When time is up first, the read may still fail, unheard.
  promise.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Aborts when the connection closes before the answer is complete. */
export function hangUpSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  // Each task of the work listens; a report may have hundreds.
  setMaxListeners(0, controller.signal);
  reply.raw.once('close', () => {
    if (!reply.raw.writableEnded) controller.abort();
  });
  return controller.signal;
}
