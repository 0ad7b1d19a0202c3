/**
 * A process that appends, to be killed or starved by a test: `appender.mjs MODE LOCATION [ARGUMENT]`. Each line on stdout is written after
 * the fact that it states.
 */
import { rmSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStore } from '../../../dist/src/book/store/store.js';

const [mode, location, argument] = process.argv.slice(2);
const pause = new Int32Array(new SharedArrayBuffer(4));

/** Waits where the reader is slow: what was said must have been written when this returns. */
function say(value) {
  let bytes = Buffer.from(`${JSON.stringify(value)}\n`);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(1, bytes));
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
      Atomics.wait(pause, 0, 0, 1);
    }
  }
}

/** Eight callers append groups until somebody kills the process. */
async function storm() {
  const store = await openStore(location);
  say('begun');
  const caller = async (id) => {
    for (let i = 0; ; i++) {
      const size = 1 + ((id + i) % 4);
      const group = `${process.pid}-${id}-${i}`;
      const drafts = Array.from({ length: size }, (_, part) => {
        return { kind: 'load', body: { group, part, size, text: 'x'.repeat((i * 37) % 900) } };
      });
      const records = await store.append(drafts);
      say(records.map(({ seq, hash }) => [seq, hash]));
    }
  };
  await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(caller));
}

async function attempt(store, body) {
  try {
    const [{ seq, hash }] = await store.append([{ kind: 'load', body }]);
    say([[seq, hash]]);
    return true;
  } catch (error) {
    say({ code: error.code, message: error.message });
    return false;
  }
}

/** Appends until the disk is full, gives room by removing the ballast, appends again. */
async function fill() {
  const store = await openStore(location);
  for (let i = 0; i < 2_000; i++) if (!(await attempt(store, 'x'.repeat(20_000)))) break;
  say({ failure: store.failure?.code });
  // Refused at once, without a try.
  await attempt(store, 'too early');
  say({ read: (await store.read(1, 1)).length });
  rmSync(argument);
  await sleep(600);
  await attempt(store, 'after');
  say({ failure: store.failure?.code ?? null });
  await store.close();
  say('closed');
}

/** Some appends in turn, on a disk that fails now and then. */
async function sequence() {
  let store;
  try {
    store = await openStore(location);
  } catch (error) {
    say({ code: error.code, message: error.message });
    return;
  }
  for (let i = 0; i < 12; i++) {
    const passed = await attempt(store, { i, text: 'x'.repeat(1_000) });
    if (!passed) await sleep(510);
  }
  await store.close();
  say('closed');
}

/** Opens for writing and says how that went. */
async function open() {
  try {
    await (await openStore(location)).close();
    say({ code: 'none' });
  } catch (error) {
    say({ code: error.code, message: error.message });
  }
  const reader = await openStore(location, { readOnly: true });
  const { ok, records } = await reader.verify();
  say({ ok, records });
  await reader.close();
}

await { storm, fill, sequence, open }[mode]();
