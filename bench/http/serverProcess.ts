/** The server process as the bench holds it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Form } from './accountStreams.ts';
import type { Question, Reply, ServedExchange } from './protocol.ts';

/** The compiled process; from sources (in tests) the build's. */
function childFile(): URL {
  const here = import.meta.url;
  return new URL(here.endsWith('.ts') ? '../../dist/bench/http/child.js' : 'child.js', here);
}

export class ServerProcess {
  readonly address: string;
  private readonly child: ChildProcess;

  private constructor(child: ChildProcess, address: string) {
    this.child = child;
    this.address = address;
  }

  static async start(exchange: ServedExchange): Promise<ServerProcess> {
    const child = fork(childFile(), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    try {
      const reply = await ask(child, { ask: 'start', exchange });
      if (!('address' in reply)) throw new Error('the server process gave no address');
      return new ServerProcess(child, reply.address);
    } catch (error) {
      child.kill();
      throw error;
    }
  }

  /** Margins accounts without HTTP, in the server's own process. */
  async own(form: Form, accounts: number): Promise<{ seconds: number; digest: string }> {
    const reply = await ask(this.child, { ask: 'own', form, accounts });
    if (!('seconds' in reply)) throw new Error('the server process gave no time');
    return reply;
  }

  async peakBytes(): Promise<number> {
    const reply = await ask(this.child, { ask: 'peak' });
    if (!('peakBytes' in reply)) throw new Error('the server process gave no memory');
    return reply.peakBytes;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.disconnect();
    await ended;
  }
}

async function ask(child: ChildProcess, question: Question): Promise<Reply> {
  const reply = new Promise<Reply | { readonly failed: string }>((resolve, reject) => {
    const onMessage = (message: unknown): void => {
      child.off('exit', onExit);
      resolve(message as Reply);
    };
    const onExit = (code: number | null): void => {
      child.off('message', onMessage);
      reject(new Error(`the server process ended with ${code}`));
    };
    child.once('message', onMessage);
    child.once('exit', onExit);
  });
  child.send(question);
  const answer = await reply;
  if ('failed' in answer) throw new Error(`the server process failed: ${answer.failed}`);
  return answer;
}
