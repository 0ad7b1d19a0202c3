/** Where results go: stdout, or a file that comes into being only when it is complete. */
import { existsSync, realpathSync, rmSync, statSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { PlimsollError } from '../../errors.ts';
import type { Terminal } from '../terminal.ts';

/** What results are made of. */
export type Content = string | AsyncIterable<Uint8Array | string>;

export interface Sink {
  /** Writes all of it; the file is there afterwards, or, where anything fails, as it was before. Call once. */
  deliver(content: Content): Promise<void>;
  /** Takes back what was opened; after `deliver` there is nothing to take back. */
  discard(): Promise<void>;
}

/**
 * Opens a file for results (`-`: stdout), gzipped where its name ends in `.gz`. They are written beside it under another name first: a
 * run that fails or is stopped leaves the file as it was. What takes long comes after: a file that cannot be made is known at once.
 * @param option the option that names the target, for errors
 * @throws USAGE where the file cannot be made; `deliver`: OUTPUT_FAILED where it cannot be written
 */
export async function openSink(target: string, terminal: Terminal, option = 'out'): Promise<Sink> {
  if (target === '-') return { deliver: (content) => toStdout(content, terminal), discard };
  const file = await openOut(target, terminal, option);
  const write = async (source: AsyncIterable<Uint8Array | string>): Promise<void> => {
    for await (const chunk of source) await file.append(chunk);
  };
  const deliver = async (content: Content): Promise<void> => {
    try {
      const chunks = piecesOf(content);
      if (target.endsWith('.gz')) await pipeline(chunks, createGzip(), write);
      else await write(chunks);
      await file.commit();
    } catch (error) {
      await file.discard();
      throw error;
    }
  };
  return { deliver, discard: () => file.discard() };
}

/** Opens and writes in one go. @throws what `openSink` throws */
export async function writeOut(
  target: string,
  content: Content,
  terminal: Terminal,
): Promise<void> {
  const sink = await openSink(target, terminal);
  await sink.deliver(content);
}

async function toStdout(content: Content, terminal: Terminal): Promise<void> {
  for await (const chunk of piecesOf(content)) await terminal.write(chunk);
}

async function discard(): Promise<void> {}

function piecesOf(content: Content): AsyncIterable<Uint8Array | string> {
  return typeof content === 'string' ? Readable.from([content]) : content;
}

interface OutFile {
  append(chunk: Uint8Array | string): Promise<void>;
  commit(): Promise<void>;
  discard(): Promise<void>;
}

async function openOut(target: string, terminal: Terminal, option: string): Promise<OutFile> {
  if (target === '') throw new PlimsollError('USAGE', `--${option} needs a name`, { path: option });
  // A device or a pipe cannot be replaced by another file; what a link points to can.
  const direct = existsSync(target) && !statSync(target).isFile();
  const path = existsSync(target) && !direct ? realpathSync(target) : target;
  const name = direct ? path : `${path}.${process.pid}.part`;
  let handle: FileHandle;
  try {
    handle = await open(name, 'w');
  } catch (error) {
    const message = `cannot write ${target}: ${(error as Error).message}`;
    throw new PlimsollError('USAGE', message, { path: option });
  }
  const remove = (): void => {
    if (!direct) rmSync(name, { force: true });
  };
  const forget = terminal.lifetime.onEarlyEnd(remove);
  const orFail = failures(target, option);
  let over = false;
  return {
    append: (chunk) => orFail(() => handle.appendFile(chunk)),
    commit: async () => {
      await orFail(() => handle.close());
      if (!direct) await orFail(() => rename(name, path));
      over = true;
      forget();
    },
    discard: async () => {
      if (over) return;
      over = true;
      // Closing twice is no error; a close that fails must not hide why the file is given up.
      await handle.close().catch(() => {});
      remove();
      forget();
    },
  };
}

/** A full disk is neither the caller's mistake nor a fault of the code. */
function failures(target: string, option: string): (work: () => Promise<void>) => Promise<void> {
  return async (work) => {
    try {
      await work();
    } catch (error) {
      const message = `cannot write ${target}: ${(error as Error).message}`;
      throw new PlimsollError('OUTPUT_FAILED', message, { path: option });
    }
  };
}
