/** The client's side of a batch: sends while it reads, keeps nothing but the end of the answer. */

import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type AccountSource, type Form, TRANSPORT } from './accountStreams.ts';

const MEDIA_TYPES = {
  ndjson: 'application/x-ndjson',
  json: 'application/json',
  arrow: 'application/vnd.apache.arrow.stream',
} as const;
/** Of the answer: enough for the summary, in whatever form. */
const TAIL_BYTES = 4096;
/** A batch that takes longer has failed. */
const DEADLINE_MS = 180_000;

export interface BatchAnswer {
  readonly seconds: number;
  readonly digest: string;
  readonly accounts: number;
  readonly rejected: number;
}

export async function postBatch(
  address: string,
  source: AccountSource,
  form: Form,
  accounts: number,
): Promise<BatchAnswer> {
  const start = performance.now();
  const post = request(`${address}/v1/margin/batch`, {
    method: 'POST',
    headers: { 'content-type': MEDIA_TYPES[TRANSPORT[form]] },
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    post.once('response', resolve);
    post.once('error', reject);
  });
  const body = Readable.from(source.stream(form, accounts), { objectMode: false });
  const [tail] = await Promise.all([answered.then(readTail), pipeline(body, post)]);
  const seconds = (performance.now() - start) / 1000;
  return { seconds, ...summaryOf(tail) };
}

async function readTail(answer: IncomingMessage): Promise<string> {
  let tail = Buffer.alloc(0);
  for await (const piece of answer as AsyncIterable<Buffer>) {
    tail = Buffer.concat([tail, piece.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES);
  }
  const text = tail.toString('latin1');
  if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}: ${text}`);
  return text;
}

function summaryOf(tail: string): Omit<BatchAnswer, 'seconds'> {
  const found = /"accounts":(\d+),"rejected":(\d+),"digest":"(sha256:[0-9a-f]{64})"/.exec(tail);
  if (found === null) throw new Error(`the answer ends without a summary: ${tail.slice(-200)}`);
  const [, accounts, rejected, digest] = found;
  return { accounts: Number(accounts), rejected: Number(rejected), digest: digest! };
}
