/**
 * The Piscina worker: attaches to a session's shared memory and runs the kernels over one shard. It keeps the sessions that it
 * used last: tasks of the old one may still arrive while a new one is filled, and reports have sessions of their own.
 */
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { viewsOf } from '../src/engine/bookMemory.ts';
import { AccountEvaluator } from '../src/engine/evaluator.ts';
import {
  accountShard,
  type Bench,
  drawShard,
  orderShard,
  revalueShard,
  rowShard,
  tailShard,
  unitShard,
} from '../src/engine/shards.ts';
import { asPlimsollError, PlimsollError } from '../src/errors.ts';
import { instantiateKernels } from './kernels.ts';
import type { Answer, Task, TaskValue } from './protocol.ts';

/** The market's own session, the one that replaces it, and a few reports on demand. */
const KEPT_SESSIONS = 6;

interface Attached {
  readonly bench: Bench;
  readonly evaluators: Map<number, AccountEvaluator>;
}

const attached = new Map<number, Attached>();

function attach(task: Task): Attached | null {
  const known = attached.get(task.sessionId);
  if (known !== undefined) {
    // The latest used stands last.
    attached.delete(task.sessionId);
    attached.set(task.sessionId, known);
    return known;
  }
  const { session } = task;
  if (session === undefined) return null;
  const kernels = instantiateKernels(session.module, session.memory);
  const fresh = {
    bench: { session, kernels, views: viewsOf(session.memory) },
    evaluators: new Map(),
  };
  attached.set(session.id, fresh);
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
    case 'revalue':
      revalueShard(at.bench, slot, body.cube, body);
      return { kind: 'done' };
    case 'order':
      orderShard(at.bench, slot, body.underlying);
      return { kind: 'done' };
    case 'units':
      unitShard(at.bench, slot, body.cube, body.rows);
      return { kind: 'done' };
    case 'rows':
      return { kind: 'draw', clamped: rowShard(at.bench, slot, body, cancelled) };
    case 'tails':
      return { kind: 'tails', measures: tailShard(at.bench, slot, body.first, body.ranks) };
    case 'study': {
      // Studies are asked for by few: a worker loads them when it is first asked.
      const { studyShard } = await import('../src/engine/studies/studyShard.ts');
      return { kind: 'study', answer: studyShard(at.bench, slot, body, cancelled) };
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
    const at = attach(task);
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
