import { formatDuration, type HealthCheck, type HealthCheckDefinition } from '@lictor/protocol';
import { type LongView, sharedListView } from '../reply/views.ts';
import { nonEmpty, nonEmptyRecord } from './proxy.ts';

export const checksView: LongView<readonly HealthCheck[]> = sharedListView(checkJson);

/** A check as the catalog and health endpoints show it. */
export function checkJson(check: HealthCheck): object {
  return { ...checkHead(check), Definition: definitionJson(check.Definition), PeerName: check.PeerName || undefined, ...indexes(check) };
}

/** A check as GET /v1/agent/checks shows it: never with its definition. */
export function agentCheckJson(check: HealthCheck): object {
  return { ...checkHead(check), Definition: {}, ...indexes(check) };
}

function checkHead(check: HealthCheck): object {
  return {
    Node: check.Node,
    CheckID: check.CheckID,
    Name: check.Name,
    Status: check.Status,
    Notes: check.Notes,
    Output: check.Output,
    ServiceID: check.ServiceID,
    ServiceName: check.ServiceName,
    ServiceTags: check.ServiceTags,
    Type: check.Type,
    Interval: check.Interval,
    Timeout: check.Timeout,
    ExposedPort: check.ExposedPort,
  };
}

function indexes(check: HealthCheck): object {
  return { CreateIndex: check.CreateIndex, ModifyIndex: check.ModifyIndex };
}

const NO_DEFINITION = {};

/** Intervals are Go durations as text, TTL alone is a number of nanoseconds: so Consul's type has it. */
function definitionJson(definition: HealthCheckDefinition | undefined): object {
  if (definition === undefined || nonEmptyRecord(definition) === undefined) return NO_DEFINITION;
  return {
    Interval: durationText(definition.Interval),
    OutputMaxSize: definition.OutputMaxSize || undefined,
    Timeout: durationText(definition.Timeout),
    DeregisterCriticalServiceAfter: durationText(definition.DeregisterCriticalServiceAfter),
    HTTP: definition.HTTP || undefined,
    TLSServerName: definition.TLSServerName || undefined,
    TLSSkipVerify: definition.TLSSkipVerify || undefined,
    Header: nonEmptyRecord(definition.Header),
    Method: definition.Method || undefined,
    Body: definition.Body || undefined,
    DisableRedirects: definition.DisableRedirects || undefined,
    TCP: definition.TCP || undefined,
    TCPUseTLS: definition.TCPUseTLS || undefined,
    UDP: definition.UDP || undefined,
    H2PING: definition.H2PING || undefined,
    OSService: definition.OSService || undefined,
    H2PingUseTLS: (definition.H2PING && definition.H2PingUseTLS) || undefined,
    ScriptArgs: nonEmpty(definition.ScriptArgs),
    DockerContainerID: definition.DockerContainerID || undefined,
    Shell: definition.Shell || undefined,
    GRPC: definition.GRPC || undefined,
    GRPCUseTLS: definition.GRPCUseTLS || undefined,
    AliasNode: definition.AliasNode || undefined,
    AliasService: definition.AliasService || undefined,
    SessionName: definition.SessionName || undefined,
    TTL: definition.TTL ? Math.round(definition.TTL * 1e6) : undefined,
  };
}

function durationText(durationMs: number | undefined): string | undefined {
  return durationMs ? formatDuration(durationMs) : undefined;
}

/** A check inside /v1/agent/health/service answers: the client library's own type, every definition field present. */
export function agentHealthCheckJson(check: HealthCheck): object {
  return {
    Node: check.Node,
    CheckID: check.CheckID,
    Name: check.Name,
    Status: check.Status,
    Notes: check.Notes,
    Output: check.Output,
    ServiceID: check.ServiceID,
    ServiceName: check.ServiceName,
    ServiceTags: check.ServiceTags.length === 0 ? null : check.ServiceTags,
    Type: '',
    ExposedPort: 0,
    Definition: BLANK_DEFINITION,
    CreateIndex: 0,
    ModifyIndex: 0,
  };
}

const BLANK_DEFINITION = {
  Interval: '0s',
  Timeout: '0s',
  DeregisterCriticalServiceAfter: '0s',
  HTTP: '',
  Header: null,
  Method: '',
  Body: '',
  TLSServerName: '',
  TLSSkipVerify: false,
  TCP: '',
  TCPUseTLS: false,
  UDP: '',
  GRPC: '',
  OSService: '',
  GRPCUseTLS: false,
};
