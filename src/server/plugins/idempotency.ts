/** The `Idempotency-Key` of a request: the same key and the same request have one effect and one answer. */
import type { FastifyRequest } from 'fastify';
import type { Keyed } from '../../book/desk/desk.ts';
import { PlimsollError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';

const NAME = 'idempotency-key';

/** The header, for the reference. */
export const IDEMPOTENCY_HEADER = {
  type: 'object',
  properties: {
    'Idempotency-Key': {
      type: 'string',
      minLength: 1,
      maxLength: LIMITS.storeKeyLengthMax,
      description:
        'Printable ASCII. Sent again with the same request it gets the stored answer; with another request it is refused. It never lapses. A request that was refused may be tried again under its key.',
    },
  },
} as const;

/**
 * Key and request as the desk compares them: method, path and parsed body, so that white space does not make another request.
 * @throws INVALID_FIELD where the key is no printable ASCII of its length, or is sent twice
 */
export function keyedBy(request: FastifyRequest, body: unknown): Keyed {
  const key = request.headers[NAME];
  if (key === undefined) return {};
  const sent = request.raw.rawHeaders.filter(
    (name, i) => i % 2 === 0 && name.toLowerCase() === NAME,
  );
  if (sent.length === 1 && typeof key === 'string' && /^[\x20-\x7e]+$/.test(key)) {
    if (key.length <= LIMITS.storeKeyLengthMax) {
      return { key, body: { method: request.method, url: request.url, body } };
    }
  }
  const message = `the header Idempotency-Key must be one of 1 to ${LIMITS.storeKeyLengthMax} printable ASCII characters`;
  throw new PlimsollError('INVALID_FIELD', message, { path: 'Idempotency-Key' });
}
