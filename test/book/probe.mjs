/** Preloaded into a service under test (`node --import`): answers what it holds, after a collection of garbage. */
import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

// As a flag of the command it would be refused to the service's own threads.
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

function held() {
  // What finalizers let go of goes with the second.
  collect();
  collect();
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  const resources = {};
  for (const name of process.getActiveResourcesInfo()) {
    resources[name] = (resources[name] ?? 0) + 1;
  }
  const descriptors = readdirSync('/proc/self/fd').length;
  return { heapUsed, arrayBuffers, rss, descriptors, resources };
}

if (isMainThread) {
  process.on('message', () => process.send(held()));
  // The service ends when it is told to, not when its test does.
  process.channel.unref();
}
