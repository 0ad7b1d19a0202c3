/** What the figures were measured on. No date: two runs on one machine print the same header. */
import { availableParallelism, cpus, totalmem } from 'node:os';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly platform: string;
  readonly node: string;
  readonly v8: string;
  /** Versions of the peers that were found. */
  readonly peers: Readonly<Record<string, string>>;
}

export function describeMachine(peers: Readonly<Record<string, string>>): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform}-${process.arch}`,
    node: process.version,
    v8: process.versions.v8,
    peers,
  };
}

export function machineText({ peers, ...machine }: Machine): string {
  const { cpu, cores, memoryGib, platform, node, v8 } = machine;
  const found = Object.entries(peers).map(([name, version]) => `${name} ${version}`);
  return [
    `${cpu}, ${cores} cores, ${memoryGib} GiB, ${platform}`,
    `Node ${node} (V8 ${v8})`,
    `peers: ${found.length === 0 ? 'none found' : found.join(', ')}`,
  ].join('\n');
}
