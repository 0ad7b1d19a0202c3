/**
 * One connection that is kept alive, one request at a time on it. As little as there can be: what the client computes is taken from the server's
 * cores.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

const HEAD_END = '\r\n\r\n';

export class Connection {
  private readonly socket: Socket;
  private readonly host: string;
  private received = '';
  private waiting: Waiting | null = null;

  private constructor(socket: Socket, host: string) {
    this.socket = socket;
    this.host = host;
    socket.setNoDelay(true);
    // One character a byte: lengths are of bytes, and answers are ASCII but for names that nobody looks at here.
    socket.setEncoding('latin1');
    socket.on('data', (piece: string) => this.take(piece));
    socket.on('error', (error) => this.fail(error));
    socket.on('close', () => this.fail(new Error('the server closed the connection')));
  }

  static async open(address: string): Promise<Connection> {
    const { hostname, port, host } = new URL(address);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new Connection(socket, host);
  }

  post(path: string, body: string, headers = ''): Promise<Answer> {
    return this.send('POST', path, body, headers);
  }

  /** @param headers as lines, each with its end */
  send(method: 'POST' | 'PATCH', path: string, body: string, headers = ''): Promise<Answer> {
    const length = Buffer.byteLength(body);
    this.socket.write(
      `${method} ${path} HTTP/1.1\r\nhost: ${this.host}\r\ncontent-type: application/json\r\n${headers}content-length: ${length}${HEAD_END}${body}`,
    );
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
    });
  }

  close(): void {
    this.waiting = null;
    this.socket.destroy();
  }

  private take(piece: string): void {
    this.received += piece;
    const end = this.received.indexOf(HEAD_END);
    if (end === -1) return;
    const head = this.received.slice(0, end);
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
    if (length === undefined) {
      this.fail(new Error(`an answer without length: ${head}`));
      return;
    }
    const from = end + HEAD_END.length;
    if (this.received.length < from + Number(length)) return;
    const body = this.received.slice(from, from + Number(length));
    this.received = this.received.slice(from + Number(length));
    const { waiting } = this;
    this.waiting = null;
    waiting?.resolve({ status: Number(head.slice(9, 12)), body });
  }

  private fail(error: Error): void {
    this.waiting?.reject(error);
    this.waiting = null;
  }
}
