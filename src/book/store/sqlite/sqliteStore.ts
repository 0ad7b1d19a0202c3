/** The store in a SQLite file. Writing and short reads are one thread's, what takes long is another's with a connection of its own. */
import type { Backend, Scan } from '../backend.ts';
import type { Head } from '../logRecord.ts';
import { LogStore } from '../logStore.ts';
import type { OpenOptions, Store } from '../store.ts';
import { SqliteThread } from './threadClient.ts';

/** @throws see `openStore` */
export async function openSqliteStore(path: string, options: OpenOptions): Promise<Store> {
  const readOnly = options.readOnly ?? false;
  const { thread, driver } = await SqliteThread.open({ path, readOnly });
  const backend: Backend = {
    driver,
    commit: (calls, now) => thread.call('commit', calls, now),
    page: (fromSeq, limit) => thread.call('page', fromSeq, limit),
    head: () => thread.call('head'),
    seqOf: (key) => thread.call('seqOf', key),
    putSnapshotPart: (seq, part, bytes) => thread.call('putSnapshotPart', seq, part, bytes),
    putSnapshot: (snapshot) => thread.call('putSnapshot', snapshot),
    keepSnapshots: (count) => thread.call('keepSnapshots', count),
    ...snapshotsOf(thread),
    openScan: (exported) => openScan(path, exported),
    copyTo: (target) => copyTo(path, target),
    compact: () => thread.call('compact'),
    figures: () => thread.call('figures'),
    close: () => thread.close(),
  };
  return new LogStore(path, backend, options);
}

function snapshotsOf(thread: SqliteThread): Pick<Scan, 'snapshots' | 'snapshotPart' | 'hashAt'> {
  return {
    snapshots: () => thread.call('snapshots'),
    snapshotPart: (seq, part) => thread.call('snapshotPart', seq, part),
    hashAt: (seq) => thread.call('hashAt', seq),
  };
}

async function openScan(path: string, exported: Head | null): Promise<Scan> {
  const { thread } = await SqliteThread.open({ path, readOnly: true });
  const total = await thread.call('scanBegin', exported);
  return {
    total,
    ...snapshotsOf(thread),
    next: () => thread.call('scanNext'),
    finish: () => thread.call('scanFinish'),
    close: () => thread.close(),
  };
}

async function copyTo(path: string, target: string): Promise<void> {
  const { thread } = await SqliteThread.open({ path, readOnly: true });
  try {
    await thread.call('copyTo', target);
  } finally {
    await thread.close();
  }
}
