/** Processes that end in the middle of their work, and what must be in the store afterwards. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { type LogRecord, openStore } from '../../../src/book/store/store.ts';

export const APPENDER = fileURLToPath(new URL('./appender.mjs', import.meta.url));

/** Sequence number and hash of each acknowledged record, and all else that was said. */
export interface Said {
  readonly acknowledged: readonly (readonly [number, string])[];
  readonly others: readonly unknown[];
  readonly code: number | null;
  readonly stderr: string;
}

export function listen(child: ChildProcess): Promise<Said> {
  let text = '';
  let stderr = '';
  child.stdout!.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  child.stderr!.setEncoding('utf8').on('data', (piece: string) => {
    stderr += piece;
  });
  return new Promise((resolve) => {
    child.on('close', (code) => {
      // What follows the last line end was cut off in the middle: nobody heard it.
      const values = text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as unknown);
      const acknowledged = values.filter((value) => Array.isArray(value)).flat() as [
        number,
        string,
      ][];
      const others = values.filter((value) => !Array.isArray(value));
      resolve({ acknowledged, others, code, stderr });
    });
  });
}

/** Every acknowledged record is there, every group is whole, the chain is intact. */
export async function mustHold(location: string, { acknowledged }: Said): Promise<void> {
  const store = await openStore(location);
  expect(await store.verify()).toMatchObject({ ok: true, problem: null });
  const hashes = new Map<number, string>();
  const groups = new Map<string, number>();
  for await (const page of store.pages()) {
    for (const record of page) {
      hashes.set(record.seq, record.hash);
      countGroup(groups, record);
    }
  }
  await store.close();
  for (const [seq, hash] of acknowledged) {
    if (hashes.get(seq) !== hash) expect(hashes.get(seq), `record ${seq}`).toBe(hash);
  }
  expect([...groups].filter(([, lacking]) => lacking !== 0)).toEqual([]);
}

/** How many records of a group are lacking. */
function countGroup(groups: Map<string, number>, { body }: LogRecord): void {
  const { group, size } = (body ?? {}) as { group?: string; size?: number };
  if (group === undefined || size === undefined) return;
  groups.set(group, (groups.get(group) ?? size) - 1);
}

/** A storm of appends, SIGKILL some time after the first is acknowledged; all of it found again. @returns how many were acknowledged */
export async function killRound(location: string, milliseconds: number): Promise<number> {
  const child = spawn(process.execPath, [APPENDER, 'storm', location]);
  const said = listen(child);
  // The first acknowledgement may take its time on a busy machine.
  await new Promise((resolve) => {
    child.stdout!.on('data', (piece: string) => {
      if (piece.includes('[')) resolve(null);
    });
    child.once('exit', resolve);
  });
  await sleep(milliseconds);
  child.kill('SIGKILL');
  const heard = await said;
  expect(heard.stderr).toBe('');
  await mustHold(location, heard);
  return heard.acknowledged.length;
}

/** What a disk may say, with the numbers of Linux. */
export const ERRORS = [
  ['EIO', 5],
  ['ENOSPC', 28],
  ['EROFS', 30],
] as const;

/** A library that makes one write or synchronisation of a store's files fail; null where it cannot be compiled. */
export function failingDisk(folder: string): string | null {
  const library = join(folder, 'failingDisk.so');
  const source = fileURLToPath(new URL('./failingDisk.c', import.meta.url));
  const made = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl']);
  return made.status === 0 ? library : null;
}

/**
 * Some appends on a disk whose write or synchronisation number `count` fails; what was acknowledged is found again.
 * @returns the codes of the errors
 */
export async function failingRound(
  library: string,
  location: string,
  errno: number,
  count: number,
): Promise<readonly string[]> {
  const env = {
    ...process.env,
    LD_PRELOAD: library,
    FAILING_ERRNO: String(errno),
    FAILING_FROM: String(count),
  };
  const said = await listen(spawn(process.execPath, [APPENDER, 'sequence', location], { env }));
  expect([said.code, said.stderr]).toEqual([0, '']);
  await mustHold(location, said);
  const errors = said.others.filter((other) => other !== 'closed') as { readonly code: string }[];
  for (const { code } of errors) expect(code).toMatch(/^STORE_/);
  return errors.map(({ code }) => code);
}
