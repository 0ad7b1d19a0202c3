/** A reader of server-sent events that hangs up when it has enough. */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { expect } from 'vitest';

export interface StreamEvent {
  /** NaN: it had none. */
  readonly id: number;
  readonly event: string;
  readonly data: { readonly seq: number; readonly body: { readonly account?: string } };
}

export type EventReader = (
  path: string,
  enough: (events: readonly StreamEvent[]) => boolean,
  last?: number,
) => Promise<StreamEvent[]>;

/** Reads whole events until enough have come or the stream ends. @param last the last event that was received before */
export async function readEvents(
  url: string,
  enough: (events: readonly StreamEvent[]) => boolean,
  last?: number,
): Promise<StreamEvent[]> {
  const headers = last === undefined ? {} : { 'last-event-id': String(last) };
  // A connection of its own, which ends with the request.
  const request = get(url, { headers, agent: false });
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  expect(answer.headers['content-type']).toBe('text/event-stream');
  const events: StreamEvent[] = [];
  let text = '';
  const decoder = new TextDecoder();
  try {
    for await (const piece of answer) {
      text += decoder.decode(piece as Uint8Array, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop()!;
      for (const block of blocks) {
        const fields = new Map(
          block.split('\n').map((line) => line.split(/: (.*)/s, 2)) as [string, string][],
        );
        if (!fields.has('data')) continue;
        const [id, event] = [Number(fields.get('id')), fields.get('event')!];
        events.push({ id, event, data: JSON.parse(fields.get('data')!) });
      }
      if (enough(events)) break;
    }
  } catch {
    // Cut off by the other side: what was whole counts.
  } finally {
    request.destroy();
  }
  return events;
}
