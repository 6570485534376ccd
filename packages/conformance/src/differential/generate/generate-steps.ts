import { seededRandom } from '@lictor/protocol/testing';
import type { Step } from '../step.ts';
import { agentStep } from './agent.ts';
import { catalogReadStep, catalogWriteStep } from './catalog.ts';
import { Chooser } from './chooser.ts';
import { configStep } from './config.ts';
import { intentionStep } from './intentions.ts';
import { kvStep } from './kv.ts';
import { otherStep } from './other.ts';
import { sessionStep } from './session.ts';
import { txnStep } from './txn.ts';

/** By weight: groups with more state get more requests. */
const GROUPS = [
  kvStep,
  kvStep,
  kvStep,
  sessionStep,
  sessionStep,
  txnStep,
  txnStep,
  catalogWriteStep,
  catalogWriteStep,
  catalogReadStep,
  catalogReadStep,
  catalogReadStep,
  agentStep,
  agentStep,
  agentStep,
  intentionStep,
  intentionStep,
  configStep,
  configStep,
  otherStep,
] as const;

/** `count` requests that build on each other; the same for the same seed. */
export function generateSteps(seed: number, count: number): Step[] {
  const choose = new Chooser(seededRandom(seed));
  return Array.from({ length: count }, () => choose.pick(GROUPS)(choose));
}
