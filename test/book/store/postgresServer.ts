/** A real PostgreSQL server from Debian's package, in a folder of its own, reached by a Unix socket alone. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from './sites.ts';

const PACKAGES = '/usr/lib/postgresql';

export interface PostgresServer {
  url(database: string): string;
  start(): Promise<void>;
  /** `SIGQUIT`: at once, as a crash. `SIGINT`: in order. */
  stop(signal: 'SIGQUIT' | 'SIGINT'): Promise<void>;
  remove(): Promise<void>;
}

/** The folder with the server's binaries; null where the package is not installed. */
export function postgresBinaries(): string | null {
  if (!existsSync(PACKAGES)) return null;
  const folders = readdirSync(PACKAGES).map((version) => join(PACKAGES, version, 'bin'));
  return folders.find((folder) => existsSync(join(folder, 'initdb'))) ?? null;
}

/** The server refuses to run as root: it becomes the package's user then. */
function asUser(command: string, args: readonly string[]): [string, string[]] {
  if (process.getuid?.() !== 0) return [command, [...args]];
  return ['setpriv', ['--reuid=postgres', '--regid=postgres', '--clear-groups', command, ...args]];
}

function userId(flag: '-u' | '-g'): number {
  return Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout);
}

export async function makePostgresServer(binaries: string): Promise<PostgresServer> {
  const folder = temporaryFolder();
  if (process.getuid?.() === 0) chownSync(folder, userId('-u'), userId('-g'));
  const data = join(folder, 'data');
  const [command, args] = asUser(join(binaries, 'initdb'), [
    ...['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8'],
  ]);
  const made = spawnSync(command, args, { cwd: folder, encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
  let server: ChildProcess | null = null;
  const start = async (): Promise<void> => {
    const [postgres, options] = asUser(join(binaries, 'postgres'), [
      ...['-D', data, '-k', folder, '-c', 'listen_addresses=', '-c', 'fsync=on'],
      ...['-c', 'shared_buffers=16MB', '-c', 'max_connections=30'],
    ]);
    server = spawn(postgres, options, { cwd: folder, stdio: 'ignore' });
    const until = performance.now() + 30_000;
    const ready = (): boolean =>
      spawnSync(join(binaries, 'pg_isready'), ['-q', '-h', folder]).status === 0;
    while (!ready()) {
      if (performance.now() > until) throw new Error('the server did not start');
      await sleep(50);
    }
  };
  const stop = async (signal: 'SIGQUIT' | 'SIGINT'): Promise<void> => {
    const running = server;
    server = null;
    if (running === null || running.exitCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill(signal);
    await ended;
  };
  await start();
  return {
    url: (database) =>
      `postgres://postgres@/${database}?host=${encodeURIComponent(folder)}&user=postgres`,
    start,
    stop,
    remove: async () => {
      await stop('SIGINT');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
