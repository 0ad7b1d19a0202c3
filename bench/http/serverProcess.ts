/** The server process as the bench holds it. */
import type { Form } from './accountStreams.ts';
import { Asked } from './asking.ts';
import type { Question, Reply, ServedExchange, Usage } from './protocol.ts';

export class ServerProcess {
  readonly address: string;
  private readonly child: Asked<Question, Reply>;

  private constructor(child: Asked<Question, Reply>, address: string) {
    this.child = child;
    this.address = address;
  }

  static async start(exchange: ServedExchange): Promise<ServerProcess> {
    const child = new Asked<Question, Reply>('child');
    try {
      const reply = await child.ask({ ask: 'start', exchange });
      if (!('address' in reply)) throw new Error('the server process gave no address');
      return new ServerProcess(child, reply.address);
    } catch (error) {
      await child.stop();
      throw error;
    }
  }

  /** Margins accounts without HTTP, in the server's own process. */
  async own(form: Form, accounts: number): Promise<{ seconds: number; digest: string }> {
    const reply = await this.child.ask({ ask: 'own', form, accounts });
    if (!('seconds' in reply)) throw new Error('the server process gave no time');
    return reply;
  }

  async peakBytes(): Promise<number> {
    const reply = await this.child.ask({ ask: 'peak' });
    if (!('peakBytes' in reply)) throw new Error('the server process gave no memory');
    return reply.peakBytes;
  }

  async usage(): Promise<Usage> {
    const reply = await this.child.ask({ ask: 'usage' });
    if (!('cpuSeconds' in reply)) throw new Error('the server process gave no usage');
    return reply;
  }

  /** Until all figures of the book are current. */
  async quiet(): Promise<void> {
    await this.child.ask({ ask: 'quiet' });
  }

  stop(): Promise<void> {
    return this.child.stop();
  }
}
