/** The book that `plimsoll serve` keeps: its store, its desk, and accounts from a file. */
import { type Desk, openDesk } from '../book/desk/desk.ts';
import type { RestoreProgress } from '../book/desk/journal.ts';
import { openStore } from '../book/store/store.ts';
import type { Engine } from '../engine/engine.ts';
import { PlimsollError } from '../errors.ts';
import { decodeText, parseJson } from '../json.ts';
import { accountDocuments, openAccounts } from './accountSource.ts';
import { count } from './output/figures.ts';
import type { Terminal } from './terminal.ts';

export interface BookOptions {
  readonly store?: string;
  readonly accounts?: string;
  /** Seconds. */
  readonly staleAfter?: number;
  /** Minutes. */
  readonly callMinutes?: number;
}

export interface OpenBook {
  readonly desk: Desk;
  close(): Promise<void>;
}

/** Before anything takes long. @throws USAGE */
export function checkBook({ store, ...rest }: BookOptions): void {
  const [path] = Object.entries(rest).flatMap(([name, value]) => (value === undefined ? [] : name));
  if (store !== undefined || path === undefined) return;
  const option = path.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new PlimsollError('USAGE', `--${option} is of a book: give --store PATH to keep one`, {
    path,
  });
}

/** @returns null where no store is named */
export async function openBook(
  options: BookOptions,
  engine: Engine,
  terminal: Terminal,
): Promise<OpenBook | null> {
  const { store: location, accounts, staleAfter, callMinutes } = options;
  if (location === undefined) {
    const { volatilities } = (await engine.info()).parameters;
    if (volatilities.estimate === 'dynamic') {
      terminal.note('volatilities are dynamic in a book: without --store they stay as they are');
    }
    return null;
  }
  const store = await openStore(location, { warn: (message) => terminal.note(message) });
  try {
    const staleAfterMs = staleAfter === undefined ? undefined : staleAfter * 1_000;
    const { progress } = terminal;
    const onProgress = (step: RestoreProgress): void => progress.update({ stage: 'log', ...step });
    const desk = await openDesk({ store, engine, staleAfterMs, callMinutes, onProgress });
    progress.stop();
    const close = async (): Promise<void> => {
      await desk.close();
      await store.close();
    };
    try {
      if (accounts !== undefined) await loadAccounts(accounts, desk, terminal);
    } catch (error) {
      await desk.close();
      throw error;
    }
    return { desk, close };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** A file that was loaded before opens nothing again. @throws as `Desk.load`, saying where the account stands */
async function loadAccounts(path: string, desk: Desk, terminal: Terminal): Promise<void> {
  const values: unknown[] = [];
  for await (const { bytes, where } of accountDocuments(await openAccounts(path))) {
    try {
      values.push(parseJson(decodeText(bytes)));
    } catch (error) {
      const { code, message } = error as PlimsollError;
      throw new PlimsollError(code, `${path} ${where}: ${message}`, { path: 'accounts' });
    }
  }
  const opened = await desk.load(values);
  terminal.note(
    `${count(opened)} of ${count(values.length)} accounts were opened, the rest are booked`,
  );
}
