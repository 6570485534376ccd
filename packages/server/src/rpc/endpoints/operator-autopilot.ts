import { LictorError } from '@lictor/protocol';
import type { Autopilot } from '../../autopilot/index.ts';
import { AUTOPILOT_SET_CONFIG, type SetAutopilotBody } from '../../fsm/commands/autopilot.ts';
import { AUTOPILOT_KEY, autopilotTable } from '../../state/tables/autopilot.ts';
import type { LiveEndpoint, LiveEndpoints, ReadEndpoint, ReadEndpoints, WriteEndpoint, WriteEndpoints } from '../types.ts';
import { requireAccess } from './shared/acl.ts';

const getConfiguration: ReadEndpoint<'Operator.AutopilotGetConfiguration'> = (reader, _request, { authorizer }) => {
  requireAccess(authorizer, 'operator', '', 'read');
  const config = reader.get(autopilotTable, AUTOPILOT_KEY);
  if (config === undefined) throw new LictorError('rejected', 'autopilot config not initialized yet');
  return config;
};

const setConfiguration: WriteEndpoint<'Operator.AutopilotSetConfiguration'> = async ({ config, cas }, context) => {
  requireAccess(context.authorizer, 'operator', '', 'write');
  for (const name of ['LastContactThreshold', 'ServerStabilizationTime'] as const) {
    if (config[name] < 0) throw new LictorError('invalid-argument', `Error parsing autopilot config: ${name} must not be negative`);
  }
  const body: SetAutopilotBody = { config, ...(cas === undefined ? {} : { cas }) };
  const { index, result } = await context.propose<boolean>(AUTOPILOT_SET_CONFIG, body);
  return { index, value: result };
};

export const operatorAutopilotReads = { 'Operator.AutopilotGetConfiguration': getConfiguration } satisfies ReadEndpoints;
export const operatorAutopilotWrites = { 'Operator.AutopilotSetConfiguration': setConfiguration } satisfies WriteEndpoints;

export function createOperatorAutopilotLive(autopilot: Autopilot) {
  const state: LiveEndpoint<'Operator.AutopilotState'> = async (_request, { authorizer }) => {
    requireAccess(authorizer, 'operator', '', 'read');
    return { index: 1, value: autopilot.state() };
  };
  return { 'Operator.AutopilotState': state } satisfies LiveEndpoints;
}
