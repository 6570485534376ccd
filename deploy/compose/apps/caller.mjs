// Says something to echo every second, through its own sidecar's upstream port, and logs what comes back.
import { setTimeout as sleep } from 'node:timers/promises';

for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
for (let count = 1; ; count++) {
  process.stdout.write(`${new Date().toISOString()} ${await say(`hello ${count}`)}\n`);
  await sleep(1_000);
}

async function say(text) {
  try {
    const response = await fetch('http://127.0.0.1:9191/', { method: 'POST', body: text, signal: AbortSignal.timeout(5_000) });
    return `echo: ${await response.text()}`;
  } catch (error) {
    return `no answer: ${error.cause?.code ?? error.message}`;
  }
}
