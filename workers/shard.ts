/**
 * The Piscina worker: attaches to a session's shared memory and runs the kernels over one shard. It keeps the sessions that it
 * used last: tasks of the old one may still arrive while a new one is filled, and reports have sessions of their own.
 */
import { setFlagsFromString } from 'node:v8';
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { viewsOf } from '../src/engine/bookMemory.ts';
import { AccountEvaluator } from '../src/engine/evaluator.ts';
import { unpackSession } from '../src/engine/packedSession.ts';
import {
  accountShard,
  type Bench,
  drawShard,
  fillShard,
  orderShard,
  packShard,
  rowShard,
  tailShard,
} from '../src/engine/shards.ts';
import { asPlimsollError, PlimsollError } from '../src/errors.ts';
import { instantiateKernels } from './kernels.ts';
import type { Answer, Task, TaskValue } from './protocol.ts';

/**
 * What is known of an account lives until the pass over its shard is done, and no longer. V8 takes what outlives one collection for long-lived
 * and makes more of its kind straight among the old objects; dead there, it keeps alive whatever it refers to until the old ones are collected
 * too. Without that guess a worker's memory stays flat however many accounts pass through it.
 */
setFlagsFromString('--no-allocation-site-pretenuring');

/** The market's own session, the one that replaces it, and a few reports on demand. */
const KEPT_SESSIONS = 6;

interface Attached {
  readonly bench: Bench;
  readonly evaluators: Map<number, AccountEvaluator>;
}

const attached = new Map<number, Attached>();

async function attach({ sessionId, step, session: packed }: Task): Promise<Attached | null> {
  const known = attached.get(sessionId);
  if (known !== undefined) {
    // The latest used stands last.
    attached.delete(sessionId);
    attached.set(sessionId, known);
    return known;
  }
  const before = step === undefined ? undefined : attached.get(step.from);
  if (before !== undefined) {
    // Markets that tick are the live book's alone: a worker loads what it needs for them when the first tick comes.
    const { steppedSession } = await import('../src/engine/tickedSession.ts');
    const { bench } = before;
    return remember({ ...bench, session: steppedSession(bench.session, sessionId, step!) });
  }
  if (packed === undefined) return null;
  const session = unpackSession(packed);
  const kernels = instantiateKernels(session.module, session.memory);
  return remember({ session, kernels, views: viewsOf(session.memory) });
}

function remember(bench: Bench): Attached {
  const fresh = { bench, evaluators: new Map() };
  attached.set(bench.session.id, fresh);
  for (const id of attached.keys()) {
    if (attached.size > KEPT_SESSIONS) attached.delete(id);
  }
  return fresh;
}

function evaluatorOf({ bench, evaluators }: Attached, slot: number): AccountEvaluator {
  const known = evaluators.get(slot);
  if (known !== undefined) return known;
  const evaluator = new AccountEvaluator(bench, slot);
  evaluators.set(slot, evaluator);
  return evaluator;
}

async function carryOut({ body, slot, cancel }: Task, at: Attached): Promise<TaskValue> {
  const cancelled = (): boolean => Atomics.load(cancel, 0) !== 0;
  if (cancelled()) throw new PlimsollError('CANCELLED', 'the caller has gone');
  switch (body.kind) {
    case 'draw':
      return { kind: 'draw', clamped: drawShard(at.bench, slot, body.cube, body.block) };
    case 'order':
      orderShard(at.bench, slot, body.underlying);
      return { kind: 'done' };
    case 'pack':
      packShard(at.bench, body.cube, body.rows);
      return { kind: 'done' };
    case 'fill':
      fillShard(at.bench, slot, body);
      return { kind: 'done' };
    case 'rows':
      return { kind: 'draw', clamped: rowShard(at.bench, slot, body, cancelled) };
    case 'tails':
      return { kind: 'tails', measures: tailShard(at.bench, slot, body.first, body.ranks) };
    case 'study': {
      // Studies are asked for by few: a worker loads them when it is first asked.
      const { studyShard } = await import('../src/engine/studies/studyShard.ts');
      const answer = studyShard(at.bench, slot, body, cancelled);
      return { kind: 'study', answer: body.text === true ? JSON.stringify(answer) : answer };
    }
    case 'accounts': {
      const { input, output } = body;
      const evaluator = evaluatorOf(at, slot);
      // The Arrow writer is large: a worker loads it when it is first asked for.
      const arrow = output === 'arrow' ? await import('../src/engine/arrowResults.ts') : null;
      const answer = accountShard(evaluator, input, output, cancelled, arrow?.arrowResults);
      return { kind: 'accounts', answer };
    }
  }
}

export default async function shard(task: Task): Promise<Answer> {
  try {
    const at = await attach(task);
    if (at === null) return { ok: false, needsSession: true };
    const answer: Answer = { ok: true, value: await carryOut(task, at) };
    if (answer.value.kind !== 'accounts') return answer;
    const { lines } = answer.value.answer;
    return lines === null ? answer : (move(new Handover(answer, lines)) as unknown as Answer);
  } catch (error) {
    return { ok: false, needsSession: false, error: asPlimsollError(error).toRecord() };
  }
}

/** An answer whose lines are handed over, not copied; Piscina asks for both by these symbols. */
class Handover {
  private readonly answer: Answer;
  private readonly lines: Uint8Array;

  constructor(answer: Answer, lines: Uint8Array) {
    this.answer = answer;
    this.lines = lines;
  }

  get [transferableSymbol](): object {
    return [this.lines.buffer];
  }

  get [valueSymbol](): object {
    return this.answer;
  }
}
