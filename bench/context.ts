/** What every suite is given. */
import type { Line } from './line.ts';
import type { Peers } from './peers/peers.ts';

export interface Context {
  /** Small parameters: the same code, no figure worth quoting. */
  readonly quick: boolean;
  readonly peers: Peers;
  /** Of the suite `book`: one measurement alone. */
  readonly line?: string | undefined;
}

export interface Suite {
  readonly name: string;
  readonly about: string;
  readonly run: (context: Context) => Promise<readonly Line[]>;
}
