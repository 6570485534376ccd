// Figures of simulated pools: `npm run sim -- [--nodes 10,100,500] [--loss 0,0.1,0.3] [--kills 20] [--seed 1] [--no-slow]`.
import { parseArgs } from 'node:util';
import { measure, measureSlow, type Spread } from '../src/testing/figures.ts';

const { values } = parseArgs({
  allowNegative: true,
  options: {
    nodes: { type: 'string', default: '10,50,200' },
    loss: { type: 'string', default: '0,0.1,0.3' },
    kills: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    slow: { type: 'boolean', default: true },
  },
});
const seed = Number(values.seed);
const spread = ({ min, median, p99 }: Spread): string => [min, median, p99].map((ms) => (ms / 1000).toFixed(2)).join(' / ');
const row = (cells: readonly (string | number)[]): void => void process.stdout.write(`| ${cells.join(' | ')} |\n`);

row([
  'members',
  'loss',
  'first says failed, s (min / median / p99)',
  'all say so, s',
  'change heard, s',
  'messages/s',
  'bytes/s',
  'false/hour',
]);
row(Array.from({ length: 8 }, () => '---'));
for (const nodes of values.nodes.split(',').map(Number)) {
  for (const lossRate of values.loss.split(',').map(Number)) {
    const figures = measure({ nodes, seed, lossRate, kills: Number(values.kills) });
    const { firstDetectionMs, fullDetectionMs, disseminationMs, messagesPerSecond, bytesPerSecond, falsePositivesPerHour } = figures;
    const times = [spread(firstDetectionMs), spread(fullDetectionMs), spread(disseminationMs)];
    row([nodes, lossRate, ...times, messagesPerSecond.toFixed(2), Math.round(bytesPerSecond), falsePositivesPerHour.toFixed(2)]);
  }
}

if (values.slow) {
  const without = { awarenessMax: 1, suspicionMaxMult: 1, buddy: false };
  const kinds = {
    'SWIM alone': without,
    'with local health': { ...without, awarenessMax: 8 },
    'with long suspicion': { ...without, suspicionMaxMult: 6 },
    Lifeguard: {},
  };
  process.stdout.write('\n');
  row(['well members said to have failed, of 64 in two minutes', '1 slow', '4 slow', '8 slow', '16 slow']);
  row(Array.from({ length: 5 }, () => '---'));
  for (const [name, timing] of Object.entries(kinds))
    row([name, ...[1, 4, 8, 16].map((slow) => measureSlow({ nodes: 64, slow, seed, timing }))]);
}
