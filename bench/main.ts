#!/usr/bin/env node
/** `npm run bench`: the table of this machine. Exits 0, 2 on a wrong call, 1 where a suite fails; a missed target is no failure. */
import { parseArgs } from 'node:util';
import type { Line } from './line.ts';
import { describeMachine, type Machine, machineText } from './machine.ts';
import { NO_PEERS, openPeers } from './peers/peers.ts';
import { BOOK_MEASUREMENTS } from './suites/book.ts';
import { runSuites, SUITES } from './suites.ts';
import { tableOf } from './table.ts';

const USAGE = `usage: npm run bench -- [options]
  --only NAME   one suite (may be repeated): ${SUITES.map(({ name }) => name).join(', ')}
  --json        one JSON document on stdout instead of the table
  --line NAME   of the suite book one measurement alone: ${BOOK_MEASUREMENTS.join(', ')}
  --quick       small parameters: shows that everything runs; its figures mean nothing
  --no-peers    leave numpy, scipy and QuantLib out
`;

interface Call {
  readonly only: readonly string[];
  readonly line: string | undefined;
  readonly json: boolean;
  readonly quick: boolean;
  readonly peers: boolean;
}

/** Null for a wrong call; the reason has been told. */
function readCall(args: readonly string[]): Call | null {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        only: { type: 'string', multiple: true, default: [] },
        line: { type: 'string' },
        json: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        'no-peers': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const unknown = values.only.filter((name) => !SUITES.some((suite) => suite.name === name));
    if (unknown.length > 0) throw new Error(`there is no suite ${unknown.join(', ')}`);
    if (values.line !== undefined && !BOOK_MEASUREMENTS.includes(values.line)) {
      throw new Error(`the suite book has no measurement ${values.line}`);
    }
    if (values.help) process.stdout.write(USAGE);
    if (values.help) process.exit(0);
    return {
      only: values.line === undefined ? values.only : ['book'],
      line: values.line,
      json: values.json,
      quick: values.quick,
      peers: !values['no-peers'],
    };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${USAGE}`);
    return null;
  }
}

async function main(args: readonly string[]): Promise<number> {
  const call = readCall(args);
  if (call === null) return 2;
  const peers = call.peers ? openPeers() : NO_PEERS;
  const versions = {
    ...(peers.numpy === null ? {} : { 'numpy/scipy': peers.numpy.version }),
    ...(peers.quantlib === null ? {} : { QuantLib: peers.quantlib.version }),
  };
  try {
    const machine = describeMachine(versions);
    if (!call.json) process.stdout.write(`${machineText(machine)}\n\n`);
    const lines = await runSuites(call.only, { ...call, peers }, ({ name, about }) => {
      process.stderr.write(`${name}: ${about} …\n`);
    });
    write(call.json, machine, lines);
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : error}\n`);
    return 1;
  } finally {
    peers.close();
  }
}

function write(json: boolean, machine: Machine, lines: readonly Line[]): void {
  process.stdout.write(json ? `${JSON.stringify({ machine, lines }, null, 2)}\n` : tableOf(lines));
}

process.exitCode = await main(process.argv.slice(2));
