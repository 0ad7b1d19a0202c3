// Stores a snapshot, then begins a second one that never ends, and says how far it is.
import { openStore } from '../../../dist/src/book/store/store.js';

const PART = 1024 * 1024;
const store = await openStore(process.argv[2]);
const [first] = await store.append([{ kind: 'a', body: 1 }]);
await store.saveSnapshot({ seq: first.seq, hash: first.hash, state: Buffer.from('whole') });
const [second] = await store.append([{ kind: 'a', body: 2 }]);
async function* endless() {
  for (let part = 0; ; part++) {
    // Asked for the next one: those before are stored.
    process.stdout.write(`${part} parts\n`);
    yield new Uint8Array(PART);
  }
}
await store.saveSnapshot({ seq: second.seq, hash: second.hash, state: endless() });
