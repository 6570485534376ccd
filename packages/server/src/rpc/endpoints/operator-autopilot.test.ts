import { allowAll, type Authorizer } from '@lictor/mesh';
import { DEFAULT_AUTOPILOT } from '@lictor/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { createEndpointHarness, type EndpointHarness } from '../../testing/endpoints.ts';
import { operatorAutopilotReads, operatorAutopilotWrites } from './operator-autopilot.ts';

const nothing: Authorizer = { ...allowAll, accessorId: 'x', allows: () => false };
let server: EndpointHarness;

beforeEach(() => {
  server = createEndpointHarness();
});

const get = (authorizer = allowAll) =>
  server.read<'Operator.AutopilotGetConfiguration'>(operatorAutopilotReads['Operator.AutopilotGetConfiguration'], {}, authorizer).value;
const set = (config: Partial<typeof DEFAULT_AUTOPILOT>, cas?: number, authorizer = allowAll): Promise<boolean> => {
  const request = { config: { ...DEFAULT_AUTOPILOT, ...config }, ...(cas === undefined ? {} : { cas }) };
  return server.call<'Operator.AutopilotSetConfiguration'>(
    operatorAutopilotWrites['Operator.AutopilotSetConfiguration'],
    request,
    authorizer,
  );
};

describe('Operator.Autopilot*Configuration (consul-facts H134, H135)', () => {
  it('gives what was set', async () => {
    expect(await set({ MaxTrailingLogs: 9 })).toBe(true);
    expect(get()).toEqual({ ...DEFAULT_AUTOPILOT, MaxTrailingLogs: 9, CreateIndex: 1, ModifyIndex: 1 });
  });

  it('says that there is none yet, in Consul’s words', () => {
    expect(get).toThrow('autopilot config not initialized yet');
  });

  it('is false when somebody else was there first', async () => {
    await set({});
    expect(await set({}, 7)).toBe(false);
    expect(await set({}, 1)).toBe(true);
  });

  it('takes no negative times', async () => {
    await expect(set({ LastContactThreshold: -1 })).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(set({ ServerStabilizationTime: -1 })).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('needs operator:read and operator:write', async () => {
    expect(() => get(nothing)).toThrow("lacks permission 'operator:read'");
    await expect(set({}, undefined, nothing)).rejects.toThrow("lacks permission 'operator:write'");
  });
});
