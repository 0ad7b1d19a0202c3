import { createHash } from 'node:crypto';

/** The first 12 hex digits of the SHA-256 of some values' bytes, little-endian. */
export function digestOf(...parts: readonly ArrayBufferView[]): string {
  const hash = createHash('sha256');
  for (const { buffer, byteOffset, byteLength } of parts) {
    // A copy: views may be of shared memory.
    hash.update(new Uint8Array(buffer, byteOffset, byteLength).slice());
  }
  return hash.digest('hex').slice(0, 12);
}
