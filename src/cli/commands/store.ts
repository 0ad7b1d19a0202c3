/** `plimsoll store …`: what is done to a store as a whole. */
import { partOf, removeDatabase } from '../../book/store/files.ts';
import { openStore, type Store } from '../../book/store/store.ts';
import { PlimsollError } from '../../errors.ts';
import { EXIT } from '../exitCodes.ts';
import type { OutOptions } from '../options.ts';
import { writeOut } from '../output/sink.ts';
import { backupTable, headTable, infoTable } from '../output/storeTables.ts';
import type { CommonOptions, Terminal } from '../terminal.ts';

export interface StoreOptions extends CommonOptions {
  readonly store: string;
}

async function using<T>(
  { store: location }: StoreOptions,
  readOnly: boolean,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const store = await openStore(location, { readOnly });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

export async function runStoreInfo(options: StoreOptions, terminal: Terminal): Promise<number> {
  const info = await using(options, true, (store) => store.info());
  if (terminal.json) await terminal.document(info);
  else await terminal.write(infoTable(info));
  return EXIT.ok;
}

export async function runStoreHead(
  options: StoreOptions & OutOptions,
  terminal: Terminal,
): Promise<number> {
  const { out } = options;
  if (out === '-' && terminal.json) {
    throw new PlimsollError('USAGE', '--json and --out - both want stdout', { path: 'out' });
  }
  const head = await using(options, true, (store) => store.head());
  if (out !== undefined) await writeOut(out, `${JSON.stringify(head)}\n`, terminal);
  if (terminal.json) await terminal.document(head);
  else if (out !== '-') await terminal.write(headTable(head));
  return EXIT.ok;
}

export async function runStoreBackup(
  options: StoreOptions & { readonly out: string },
  terminal: Terminal,
): Promise<number> {
  const { out } = options;
  if (out === '-') {
    throw new PlimsollError('USAGE', 'a backup is a file, not a stream', { path: 'out' });
  }
  const forget = terminal.lifetime.onEarlyEnd(() => removeDatabase(partOf(out)));
  try {
    const backup = await using(options, true, (store) => store.backup(out));
    if (terminal.json) await terminal.document(backup);
    else await terminal.write(backupTable(backup, out));
  } finally {
    forget();
  }
  return EXIT.ok;
}

export async function runStoreCompact(options: StoreOptions, terminal: Terminal): Promise<number> {
  const sizes = await using(options, false, async (store) => {
    const before = (await store.info()).bytes;
    await store.compact();
    return { before, after: (await store.info()).bytes };
  });
  if (terminal.json) await terminal.document({ bytes: sizes });
  else await terminal.write(`${sizes.before} bytes before, ${sizes.after} after\n`);
  return EXIT.ok;
}
