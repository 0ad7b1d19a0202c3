/** What makes a file, and its name in the folder, survive a power cut. */
import { closeSync, fsyncSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';

export function syncFile(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Of the folder that a file is in. */
export function syncFolder(path: string): void {
  syncFile(dirname(path));
}

/** Under which name a copy is written until it is complete. */
export function partOf(path: string): string {
  return `${path}.${process.pid}.part`;
}

/** Removes a database, and the files that SQLite keeps beside it. */
export function removeDatabase(path: string): void {
  for (const end of ['', '-journal', '-wal', '-shm', '-lock', '-lock-journal'])
    rmSync(path + end, { force: true });
}
