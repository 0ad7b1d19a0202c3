import { createHash } from 'node:crypto';

const DIGITS = 12;
const PREFIX = 'sha256:';

/** The first 12 hex digits of the SHA-256 of some values' bytes, little-endian. */
export function digestOf(...parts: readonly ArrayBufferView[]): string {
  const hash = createHash('sha256');
  for (const { buffer, byteOffset, byteLength } of parts) {
    // A copy: views may be of shared memory.
    hash.update(new Uint8Array(buffer, byteOffset, byteLength).slice());
  }
  return hash.digest('hex').slice(0, DIGITS);
}

/** The same of a digest that an engine gives, `sha256:…`. */
export function shortDigest(digest: string): string {
  return digest.slice(PREFIX.length, PREFIX.length + DIGITS);
}
