/**
 * The thread that a SQLite file lives in. SQLite waits for the disk in the calling thread; here nobody else waits with it. One message a
 * call, one answer a message.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { asPlimsollError } from '../../../errors.ts';
import { realName } from './connections.ts';
import { loadDriver } from './driver.ts';
import type { Opening, Reply, Request } from './protocol.ts';
import { SqliteFile } from './sqliteFile.ts';

const port = parentPort!;
const { path, readOnly } = workerData as Opening;

function reply(id: number, work: () => unknown): void {
  let answer: Reply;
  try {
    answer = { id, ok: true, value: work() };
  } catch (error) {
    answer = { id, ok: false, error: asPlimsollError(error).toRecord() };
  }
  port.postMessage(answer);
}

function call(file: SqliteFile, { name, args }: Request): unknown {
  const method = file[name] as (...values: readonly unknown[]) => unknown;
  return method.apply(file, [...args]);
}

const driver = await loadDriver();
let file: SqliteFile | null = null;
reply(0, () => {
  file = new SqliteFile(driver, realName(path), readOnly);
  return driver.name;
});
port.on('message', (request: Request) => {
  reply(request.id, () => call(file!, request));
  if (request.name === 'close') port.close();
});
if (file === null) port.close();
