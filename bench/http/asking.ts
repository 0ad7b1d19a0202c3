/** A process of the bench that answers questions: one at a time, over the channel that it was forked with. It ends with its parent. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

export class Asked<Q extends object, R> {
  private readonly child: ChildProcess;

  /** @param name of the compiled file in this folder; from sources (in tests) the build's */
  constructor(name: string) {
    const here = import.meta.url;
    const file = here.endsWith('.ts') ? `../../dist/bench/http/${name}.js` : `${name}.js`;
    this.child = fork(new URL(file, here), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  }

  /** @throws what the process says that failed, or that it has ended */
  async ask(question: Q): Promise<R> {
    const { child } = this;
    const reply = new Promise<R | { readonly failed: string }>((resolve, reject) => {
      const onMessage = (message: unknown): void => {
        child.off('exit', onExit);
        resolve(message as R);
      };
      const onExit = (code: number | null): void => {
        child.off('message', onMessage);
        reject(new Error(`a process of the bench ended with ${code}`));
      };
      child.once('message', onMessage);
      child.once('exit', onExit);
    });
    child.send(question);
    const answer = await reply;
    if (typeof answer === 'object' && answer !== null && 'failed' in answer) {
      throw new Error(`a process of the bench failed: ${answer.failed}`);
    }
    return answer as R;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    if (this.child.connected) this.child.disconnect();
    await ended;
  }
}

/** The other side: answers what the parent asks. */
export function answering<Q, R>(answer: (question: Q) => Promise<R>): void {
  process.on('message', (question: Q) => {
    answer(question).then(
      (reply) => process.send!(reply),
      (error: unknown) => {
        const failed = error instanceof Error ? (error.stack ?? error.message) : `${error}`;
        process.send!({ failed });
      },
    );
  });
  process.once('disconnect', () => process.exit(0));
}
