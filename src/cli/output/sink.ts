/** Where results go: stdout, or a file that comes into being only when it is complete. */
import { existsSync, realpathSync, rmSync, statSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { PlimsollError } from '../../errors.ts';
import type { Terminal } from '../terminal.ts';

/**
 * Writes text or a stream of bytes to a file (`-`: stdout), gzipped where its name ends in `.gz`. They are written beside it under another name first: a run
 * that fails or is stopped leaves the file as it was.
 * @throws USAGE where the file cannot be made, OUTPUT_FAILED where it cannot be written
 */
export async function writeOut(
  target: string,
  content: string | AsyncIterable<Uint8Array | string>,
  terminal: Terminal,
): Promise<void> {
  const chunks = typeof content === 'string' ? Readable.from([content]) : content;
  if (target === '-') {
    for await (const chunk of chunks) await terminal.write(chunk);
    return;
  }
  const file = await openOut(target, terminal);
  const write = async (source: AsyncIterable<Uint8Array | string>): Promise<void> => {
    for await (const chunk of source) await file.append(chunk);
  };
  try {
    if (target.endsWith('.gz')) await pipeline(chunks, createGzip(), write);
    else await write(chunks);
    await file.commit();
  } catch (error) {
    await file.discard();
    throw error;
  }
}

interface OutFile {
  append(chunk: Uint8Array | string): Promise<void>;
  commit(): Promise<void>;
  discard(): Promise<void>;
}

async function openOut(target: string, terminal: Terminal): Promise<OutFile> {
  // A device or a pipe cannot be replaced by another file; what a link points to can.
  const direct = existsSync(target) && !statSync(target).isFile();
  const path = existsSync(target) && !direct ? realpathSync(target) : target;
  const name = direct ? path : `${path}.${process.pid}.part`;
  let handle: FileHandle;
  try {
    handle = await open(name, 'w');
  } catch (error) {
    throw new PlimsollError('USAGE', `cannot write ${target}: ${(error as Error).message}`, {
      path: 'out',
    });
  }
  const forget = terminal.lifetime.onEarlyEnd(() => {
    if (!direct) rmSync(name, { force: true });
  });
  return {
    append: (chunk) => orFail(target, () => handle.appendFile(chunk)),
    commit: async () => {
      await orFail(target, () => handle.close());
      if (!direct) await orFail(target, () => rename(name, path));
      forget();
    },
    discard: async () => {
      await handle.close();
      if (!direct) rmSync(name, { force: true });
      forget();
    },
  };
}

/** A full disk is neither the caller's mistake nor a fault of the code. */
async function orFail(target: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const message = `cannot write ${target}: ${(error as Error).message}`;
    throw new PlimsollError('OUTPUT_FAILED', message, { path: 'out' });
  }
}
