/** What passes between the store and the thread of its file: a method of `SqliteFile` by name, its arguments, its value. */
import type { ErrorRecord } from '../../../errors.ts';
import type { SqliteFile } from './sqliteFile.ts';

/** With which the thread is started; its first reply, to request 0, has the driver's name. */
export interface Opening {
  readonly path: string;
  readonly readOnly: boolean;
}

export type MethodName = keyof SqliteFile;

export interface Request {
  readonly id: number;
  readonly name: MethodName;
  readonly args: readonly unknown[];
}

export type Reply =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly error: ErrorRecord };
