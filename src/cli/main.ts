#!/usr/bin/env node
/** The command `plimsoll`: runs what was asked for and turns its outcome, good or bad, into messages and an exit code. */
import { CommanderError } from 'commander';
import { asPlimsollError, PlimsollError } from '../errors.ts';
import { EXIT, exitCodeOf } from './exitCodes.ts';
import { failureText } from './failure.ts';
import { Lifetime } from './lifetime.ts';
import { buildProgram, type Run } from './program.ts';

async function main(argv: readonly string[]): Promise<number> {
  const lifetime = new Lifetime();
  const run: Run = { code: EXIT.ok, terminal: null };
  lifetime.watch();
  try {
    const program = buildProgram(lifetime, run);
    if (argv.length === 0) {
      program.outputHelp({ error: true });
      return EXIT.usage;
    }
    await program.parseAsync([...argv], { from: 'user' });
    return run.code;
  } catch (error) {
    return fail(error, run, argv);
  }
}

/** Tells the failure on stderr, and as the one document of `--json` where none was begun. */
function fail(error: unknown, run: Run, argv: readonly string[]): number {
  run.terminal?.progress.stop();
  if (error instanceof CommanderError) {
    // Help and version end this way too; a wrong call was told by commander itself.
    if (error.exitCode === 0) return EXIT.ok;
    const message = error.message.replace(/^error: /, '');
    if (argv.includes('--json')) writeFailure(new PlimsollError('USAGE', message));
    return EXIT.usage;
  }
  const failure = asPlimsollError(error);
  process.stderr.write(failureText(failure));
  if (failure.code === 'INTERNAL' && error instanceof Error) {
    process.stderr.write(`${error.stack}\n`);
  }
  if (run.terminal?.json === true && !run.terminal.begun) writeFailure(failure);
  return exitCodeOf(failure);
}

function writeFailure(failure: PlimsollError): void {
  process.stdout.write(`${JSON.stringify({ error: failure.toRecord() }, null, 2)}\n`);
}

// Not process.exit: what was written to a pipe must still drain.
process.exitCode = await main(process.argv.slice(2));
