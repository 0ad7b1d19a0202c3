/**
 * Snapshots are kept in parts, so that appends pass between two of them, and with a digest of their own: a snapshot is a short cut of the
 * log and must not be believed more than the log.
 */
import { createHash, type Hash } from 'node:crypto';
import { PlimsollError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import type { Backend, SnapshotSource, StoredSnapshot } from './backend.ts';
import type { Head } from './logRecord.ts';
import type { Snapshot, SnapshotPieces } from './store.ts';

const PART = LIMITS.storeSnapshotPartBytes;

export async function putSnapshot(
  backend: Backend,
  { seq, hash, state }: SnapshotPieces,
  now: number,
): Promise<void> {
  if (state instanceof Uint8Array) mustFit(state.byteLength);
  const found = await backend.hashAt(seq);
  if (found !== hash) {
    const message = `the log has no record ${seq} with the hash ${hash}`;
    throw new PlimsollError('INVALID_FIELD', message, { path: 'hash' });
  }
  const digest = digestBegun({ seq, hash });
  let bytes = 0;
  // Parts of one that was cut short, of this same record perhaps.
  await tidy(backend);
  try {
    let part = 0;
    for await (const piece of partsOf(state)) {
      bytes += piece.byteLength;
      mustFit(bytes);
      digest.update(piece);
      await backend.putSnapshotPart(seq, part, piece);
      part += 1;
    }
    const at = new Date(now).toISOString();
    await backend.putSnapshot({ seq, hash, at, bytes, digest: digestEnded(digest) });
  } finally {
    await tidy(backend);
  }
}

/** Keeps the newest few, and no part that belongs to none. */
async function tidy(backend: Backend): Promise<void> {
  const newest = (await backend.snapshots()).slice(0, LIMITS.storeSnapshotsKept);
  await backend.keepSnapshots(newest.map((snapshot) => snapshot.seq));
}

function mustFit(bytes: number): void {
  if (bytes <= LIMITS.storeSnapshotBytesMax) return;
  const message = `a snapshot has at most ${LIMITS.storeSnapshotBytesMax} bytes, got ${bytes}`;
  throw new PlimsollError('TOO_LARGE', message, { path: 'state' });
}

/** All but the last are of one size, whatever that of the pieces. */
async function* partsOf(
  state: Uint8Array | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let part = new Uint8Array(PART);
  let filled = 0;
  for await (const piece of state instanceof Uint8Array ? [state] : state) {
    for (let from = 0; from < piece.byteLength; ) {
      const bytes = piece.subarray(from, from + PART - filled);
      part.set(bytes, filled);
      from += bytes.byteLength;
      filled += bytes.byteLength;
      if (filled < PART) continue;
      yield part;
      part = new Uint8Array(PART);
      filled = 0;
    }
  }
  if (filled > 0) yield part.slice(0, filled);
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
