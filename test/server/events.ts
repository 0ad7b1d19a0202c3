/** A reader of server-sent events on a connection of its own, which hangs up when it has enough. */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';

export interface StreamEvent {
  readonly id: number;
  readonly event: string;
  readonly data: { readonly seq: number; readonly body: unknown };
}

/**
 * Reads whole events until enough have come or the stream ends; what has come of the next one by then is lost.
 * @param last the last event that the reader has
 * @throws the socket's error where the service is not there
 */
export async function readEvents(
  address: string,
  path: string,
  enough: (events: readonly StreamEvent[]) => boolean,
  last: number,
): Promise<StreamEvent[]> {
  const headers = { 'last-event-id': String(last) };
  const request = get(`${address}${path}`, { headers, agent: false });
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}`);
  const events: StreamEvent[] = [];
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const piece of answer) {
      text += decoder.decode(piece as Uint8Array, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop()!;
      events.push(...blocks.flatMap(eventOf));
      if (enough(events)) break;
    }
  } catch {
    // Cut off by the other side: what was whole counts.
  } finally {
    request.destroy();
  }
  return events;
}

/** None for comments, and for events that are not of the log. */
function eventOf(block: string): StreamEvent[] {
  const fields = new Map(
    block.split('\n').map((line) => line.split(/: (.*)/s, 2)) as [string, string][],
  );
  if (!fields.has('id')) return [];
  return [
    {
      id: Number(fields.get('id')),
      event: fields.get('event')!,
      data: JSON.parse(fields.get('data')!) as StreamEvent['data'],
    },
  ];
}
