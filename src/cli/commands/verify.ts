/** `plimsoll verify`: whether every record of a store is as it was written. */
import { readHead } from '../../book/store/head.ts';
import { GENESIS, type Head, openStore, type VerifyReport } from '../../book/store/store.ts';
import { PlimsollError } from '../../errors.ts';
import { EXIT } from '../exitCodes.ts';
import { readDocument } from '../inputs.ts';
import { verifyTable } from '../output/storeTables.ts';
import type { CommonOptions, Terminal } from '../terminal.ts';

export interface VerifyCommandOptions extends CommonOptions {
  readonly store: string;
  readonly head?: string;
}

export async function runVerify(
  options: VerifyCommandOptions,
  terminal: Terminal,
): Promise<number> {
  const head = options.head === undefined ? undefined : await readDocument(options.head, readHead);
  const report = await verified(options.store, head, terminal);
  terminal.progress.stop();
  if (terminal.json) await terminal.document(report);
  else await terminal.write(verifyTable(report, head));
  return report.ok ? EXIT.ok : EXIT.failure;
}

async function verified(
  location: string,
  head: Head | undefined,
  terminal: Terminal,
): Promise<VerifyReport> {
  try {
    const store = await openStore(location, { readOnly: true });
    try {
      return await store.verify({
        head,
        onProgress: (progress) => terminal.progress.update({ stage: 'records', ...progress }),
      });
    } finally {
      await store.close();
    }
  } catch (error) {
    if (!(error instanceof PlimsollError) || error.code !== 'STORE_CORRUPT') throw error;
    // Too damaged to be opened: that is a finding, too.
    const problem = { seq: 1, fault: 'unreadable', message: error.message } as const;
    return { ok: false, records: 0, head: { seq: 0, hash: GENESIS }, problem, remarks: [] };
  }
}
