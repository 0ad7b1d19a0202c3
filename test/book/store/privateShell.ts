/** A shell that may mount, in name spaces of its own: what it mounts and what it starts go with it. */
import { spawnSync } from 'node:child_process';

const ENDING = ['--pid', '--fork', '--kill-child'];

/** The command and its flags; null where this user cannot. */
export function privateShell(): readonly string[] | null {
  const ways = [
    ['unshare', '-m', ...ENDING],
    ['unshare', '-Urm', ...ENDING],
  ];
  const mounts = ([command, ...flags]: readonly string[]): boolean =>
    spawnSync(command!, [...flags, 'mount', '-t', 'tmpfs', 'x', '/mnt']).status === 0;
  return ways.find(mounts) ?? null;
}
