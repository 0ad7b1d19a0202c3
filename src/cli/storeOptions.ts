/** The options of `plimsoll verify` and `plimsoll store …`. */
import type { Command } from 'commander';
import { commonOptions } from './options.ts';

export function addVerify(program: Command): Command {
  const command = program
    .command('verify')
    .summary('whether a store is as it was written')
    .description(
      'Checks the hash of every record of a store, in use or not, and names the first that was changed, removed, moved or put in. A tail that was cut off is noticed against an exported head. Exits 1 where anything is wrong.',
    );
  storeOption(command).option('--head <FILE>', 'a head that "plimsoll store head" wrote');
  return commonOptions(command);
}

export function addStore(program: Command): Command {
  return program
    .command('store')
    .summary('backup, head, figures and compaction of a store')
    .description('What is done to a store as a whole.')
    .helpCommand(false);
}

export function addStoreInfo(store: Command): Command {
  const description = 'What a store holds: its head, its first and last instant, its snapshots.';
  return commonOptions(storeOption(store.command('info').description(description)));
}

export function addStoreHead(store: Command): Command {
  const description =
    'Writes the head of the log. Keep it where the host of the store cannot change it, for "plimsoll verify --head".';
  const command = storeOption(store.command('head').description(description));
  return commonOptions(command.option('-o, --out <FILE>', 'the head; - is stdout'));
}

export function addStoreBackup(store: Command): Command {
  const description =
    'Copies a store, in use or not, as of one instant into a new SQLite store, and verifies the copy.';
  const command = storeOption(store.command('backup').description(description));
  return commonOptions(command.requiredOption('-o, --out <FILE>', 'the copy; it must not exist'));
}

export function addStoreCompact(store: Command): Command {
  const description =
    'Drops all snapshots but the newest and gives free space back; the store must not be in use. Records are never dropped.';
  return commonOptions(storeOption(store.command('compact').description(description)));
}

function storeOption(command: Command): Command {
  return command.requiredOption(
    '--store <PATH|URL>',
    'the store: a SQLite file, or postgres://user@host/database',
  );
}
