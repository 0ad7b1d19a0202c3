/** A head as a file: what somebody keeps elsewhere, to notice later that the log was cut or written anew. */
import { Type } from 'typebox';
import { PlimsollError } from '../../errors.ts';
import { reader } from '../../schema.ts';
import { GENESIS, type Head } from './logRecord.ts';

const readShape = reader(
  Type.Object(
    {
      seq: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
      hash: Type.String({ pattern: '^sha256:[0-9a-f]{64}$' }),
    },
    { additionalProperties: false },
  ),
);

/** @throws INVALID_FIELD, MISSING_FIELD, UNKNOWN_FIELD */
export function readHead(value: unknown): Head {
  const head = readShape(value);
  if (head.seq > 0 || head.hash === GENESIS) return head;
  const message = `hash of an empty log (seq 0) is ${GENESIS}, got ${head.hash}`;
  throw new PlimsollError('INVALID_FIELD', message, { path: 'hash' });
}
