/**
 * Which content types a route reads, checked before anything else looks at the header: a spelling that one reader takes for JSON and
 * another for something else has been the way past validation before.
 */
import type { FastifyInstance } from 'fastify';
import type { BatchForm } from '../../engine/engine.ts';
import { PlimsollError } from '../../errors.ts';

export const MEDIA_TYPES = {
  json: 'application/json',
  ndjson: 'application/x-ndjson',
  arrow: 'application/vnd.apache.arrow.stream',
} as const satisfies Record<BatchForm, string>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The forms of body that the route reads; without it the route has no body. */
    accepts?: readonly BatchForm[];
  }
  interface FastifyRequest {
    /** The form of the body, where the route accepts one. */
    form: BatchForm | null;
  }
}

/** A type and at most the parameter `charset=utf-8`: case counts nowhere, space and tab only around the semicolon (RFC 9110, 8.3.1). */
const SPELLING = /^([a-z]+\/[a-z.+-]+)(?:[ \t]*;[ \t]*charset=(?:utf-8|"utf-8"))?$/i;

/** The form that a content type names; null for none that we read. */
export function formOf(contentType: string): BatchForm | null {
  const type = SPELLING.exec(contentType)?.[1]?.toLowerCase();
  for (const form of ['json', 'ndjson', 'arrow'] as const) {
    if (type !== MEDIA_TYPES[form]) continue;
    // Arrow is no text: a charset makes no sense of it.
    return form === 'arrow' && contentType.includes(';') ? null : form;
  }
  return null;
}

export function addMediaTypes(app: FastifyInstance): void {
  app.decorateRequest('form', null);
  // Bodies stay streams: each route reads its own, with its own bounds.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  app.addHook('onRequest', async (request) => {
    const accepted = request.routeOptions.config.accepts;
    if (accepted === undefined) return;
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
      throw unsupported(`a body in content-encoding ${encoding} is not read; send it plain`);
    }
    const type = request.headers['content-type'];
    const form = type === undefined || isTwice(request.raw.rawHeaders) ? null : formOf(type);
    if (form !== null && accepted.includes(form)) {
      request.form = form;
      return;
    }
    const names = accepted.map((name) => MEDIA_TYPES[name]).join(' or ');
    throw unsupported(
      `the content type must be ${names}, ${type === undefined ? 'none was given' : `got ${JSON.stringify(type)}`}`,
    );
  });
}

/** Node keeps the first of two headers and drops the other in silence. */
function isTwice(rawHeaders: readonly string[]): boolean {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]!.toLowerCase() === 'content-type') count += 1;
  }
  return count > 1;
}

function unsupported(message: string): PlimsollError {
  return new PlimsollError('UNSUPPORTED_MEDIA_TYPE', message);
}
