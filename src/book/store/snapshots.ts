/**
 * Snapshots are kept in parts, so that appends pass between two of them, and with a digest of their own: a snapshot is a short cut of the
 * log and must not be believed more than the log.
 */
import { createHash, type Hash } from 'node:crypto';
import { PlimsollError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import type { Backend, SnapshotSource, StoredSnapshot } from './backend.ts';
import type { Head } from './logRecord.ts';
import type { Snapshot } from './store.ts';

const PART = LIMITS.storeSnapshotPartBytes;

export async function putSnapshot(
  backend: Backend,
  { seq, hash, state }: Snapshot,
  now: number,
): Promise<void> {
  if (state.byteLength > LIMITS.storeSnapshotBytesMax) {
    const message = `a snapshot has at most ${LIMITS.storeSnapshotBytesMax} bytes, got ${state.byteLength}`;
    throw new PlimsollError('TOO_LARGE', message, { path: 'state' });
  }
  const found = await backend.hashAt(seq);
  if (found !== hash) {
    const message = `the log has no record ${seq} with the hash ${hash}`;
    throw new PlimsollError('INVALID_FIELD', message, { path: 'hash' });
  }
  const digest = digestBegun({ seq, hash });
  for (let part = 0; part * PART < state.byteLength; part++) {
    const bytes = state.slice(part * PART, (part + 1) * PART);
    digest.update(bytes);
    await backend.putSnapshotPart(seq, part, bytes);
  }
  const at = new Date(now).toISOString();
  const bytes = state.byteLength;
  await backend.putSnapshot({ seq, hash, at, bytes, digest: digestEnded(digest) });
  const newest = (await backend.snapshots()).slice(0, LIMITS.storeSnapshotsKept);
  await backend.keepSnapshots(newest.map((snapshot) => snapshot.seq));
}

/** The newest snapshot that is whole. @param passedOver told what is wrong with newer ones */
export async function newestWhole(
  source: SnapshotSource,
  passedOver: (message: string) => void,
): Promise<Snapshot | null> {
  for (const stored of await source.snapshots()) {
    const state = await readSnapshot(source, stored);
    if (typeof state !== 'string') return { seq: stored.seq, hash: stored.hash, state };
    passedOver(state);
  }
  return null;
}

/** The state of a snapshot, or what is wrong with it. */
export async function readSnapshot(
  source: SnapshotSource,
  snapshot: StoredSnapshot,
): Promise<Uint8Array | string> {
  const { seq, hash, bytes, digest } = snapshot;
  const name = `the snapshot at record ${seq}`;
  if (!(bytes >= 0 && bytes <= LIMITS.storeSnapshotBytesMax))
    return `${name} states ${bytes} bytes`;
  if ((await source.hashAt(seq)) !== hash) return `${name} is not of this log`;
  const state = new Uint8Array(bytes);
  const read = digestBegun(snapshot);
  for (let part = 0; part * PART < bytes; part++) {
    const expected = Math.min(PART, bytes - part * PART);
    const found = await source.snapshotPart(seq, part);
    if (found === null || found.byteLength !== expected) return `${name} lacks its part ${part}`;
    read.update(found);
    state.set(found, part * PART);
  }
  return digestEnded(read) === digest ? state : `${name} is not the one that was written`;
}

function digestBegun({ seq, hash }: Head): Hash {
  return createHash('sha256').update(`${seq}:${hash}:`);
}

function digestEnded(digest: Hash): string {
  return `sha256:${digest.digest('hex')}`;
}
