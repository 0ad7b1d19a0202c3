/** Keeps what a feed gave as lines that `ndjsonFeed` replays. */
import { createWriteStream } from 'node:fs';
import { pipeline, type Writable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { PlimsollError } from '../errors.ts';
import type { Feed, FeedItem } from './feed.ts';
import { writeItem } from './lines.ts';

export interface Recorder {
  /** Resolves when there is room for more: a slow disk holds the feed up. @throws OUTPUT_FAILED */
  write(item: FeedItem): Promise<void>;
  /** Resolves when all is on its way to the disk. @throws OUTPUT_FAILED */
  close(): Promise<void>;
}

/**
 * Records into a file, gzipped where its name ends in `.gz`. It grows as the feed goes on: after a crash a plain file ends in at most one cut line,
 * which a replay names.
 * @throws OUTPUT_FAILED where the file cannot be made or exists: recordings are not made twice
 */
export async function openRecorder(path: string): Promise<Recorder> {
  const file = createWriteStream(path, { flags: 'wx' });
  let failure: Error | null = null;
  const target: Writable = path.endsWith('.gz') ? createGzip() : file;
  const fail = (error: Error): PlimsollError =>
    new PlimsollError('OUTPUT_FAILED', `cannot write ${path}: ${error.message}`, {
      path: 'record',
    });
  await new Promise<void>((resolve, reject) => {
    file.once('open', () => resolve());
    file.once('error', (error) => reject(fail(error)));
  });
  const ended = new Promise<void>((resolve) => {
    const over = (error?: Error | null): void => {
      failure ??= error ?? null;
      resolve();
    };
    if (target === file) file.once('close', () => over(file.errored));
    else pipeline(target as ReturnType<typeof createGzip>, file, over);
    file.on('error', over);
  });
  return {
    async write(item) {
      if (failure !== null) throw fail(failure);
      if (target.write(writeItem(item))) return;
      const drained = new Promise<void>((resolve) => target.once('drain', resolve));
      await Promise.race([drained, ended]);
      if (failure !== null) throw fail(failure);
    },
    async close() {
      target.end();
      await ended;
      if (failure !== null) throw fail(failure);
    },
  };
}

/** The feed, every item written down before it is passed on. */
export async function* recorded(feed: Feed, recorder: Recorder): AsyncGenerator<FeedItem> {
  for await (const item of feed) {
    await recorder.write(item);
    yield item;
  }
}
