/** What makes a file, and its name in the folder, survive a power cut. */
import { closeSync, fsyncSync, openSync } from 'node:fs';
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
