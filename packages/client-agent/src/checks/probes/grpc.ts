import { type CheckDefinition, joinHostPort, parseHostPort } from '@lictor/protocol';
import type { Probe, ProbeResult } from '../runner.ts';
import type { ProbeContext } from './context.ts';
import { timeoutMs } from './context.ts';
import { startDeadline } from './deadline.ts';
import { dialErrorText } from './go-errors.ts';
import { resolveAllowed } from './lookup.ts';

const SERVING = 1;
const STATUS_NAMES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];
/** A health reply is two bytes; anything large is not one. */
const MAX_REPLY_BYTES = 4096;

/** Asks grpc.health.v1.Health/Check of `host:port[/service]` (consul-facts K037). The client is loaded with the first such check. */
export function createGrpcProbe(context: ProbeContext): Probe {
  const { definition } = context;
  const slash = definition.GRPC.indexOf('/');
  const address = slash === -1 ? definition.GRPC : definition.GRPC.slice(0, slash);
  const service = slash === -1 ? '' : definition.GRPC.slice(slash + 1);
  return async (signal) => {
    let dialled = address;
    try {
      if (context.refuseLinkLocal) dialled = await resolveTarget(address);
    } catch (error) {
      return { status: 'critical', output: dialErrorText('tcp', address, error) };
    }
    const grpc = await import('@grpc/grpc-js');
    const credentials = definition.GRPCUseTLS
      ? grpc.credentials.createSsl(null, null, null, { rejectUnauthorized: !definition.TLSSkipVerify })
      : grpc.credentials.createInsecure();
    const client = new grpc.Client(dialled, credentials, {
      'grpc.default_authority': address,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': MAX_REPLY_BYTES,
      ...targetName(definition),
    });
    const deadline = startDeadline(context.clock, timeoutMs(definition), signal);
    try {
      return await new Promise<ProbeResult>((resolve) => {
        const call = client.makeUnaryRequest('/grpc.health.v1.Health/Check', encodeRequest, decodeStatus, service, (error, status) => {
          if (deadline.isOver())
            resolve({ status: 'critical', output: 'rpc error: code = DeadlineExceeded desc = context deadline exceeded' });
          else resolve(describe(definition.GRPC, error, status));
        });
        deadline.signal.addEventListener('abort', () => call.cancel(), { once: true });
      });
    } finally {
      deadline.end();
      client.close();
    }
  };
}

/** `host:port` with the host resolved. */
async function resolveTarget(address: string): Promise<string> {
  const target = parseHostPort(address);
  if (target === undefined) return address;
  const host = await resolveAllowed(target.host);
  return joinHostPort(host, target.port);
}

function targetName(definition: CheckDefinition): Record<string, string> {
  return definition.GRPCUseTLS && definition.TLSServerName !== '' ? { 'grpc.ssl_target_name_override': definition.TLSServerName } : {};
}

function describe(target: string, error: Error | null, status: number | undefined): ProbeResult {
  if (error !== null) return { status: 'critical', output: errorText(error) };
  if (status === SERVING) return { status: 'passing', output: `gRPC check ${target}: success` };
  return { status: 'critical', output: `gRPC ${target} serving status: ${STATUS_NAMES[status ?? 0] ?? String(status)}` };
}

function errorText(error: Error & { readonly code?: number; readonly details?: string }): string {
  const name = error.code === undefined ? 'Unknown' : (CODE_NAMES[error.code] ?? String(error.code));
  return `rpc error: code = ${name} desc = ${error.details ?? error.message}`;
}

const CODE_NAMES: Readonly<Record<number, string>> = {
  1: 'Canceled',
  2: 'Unknown',
  3: 'InvalidArgument',
  4: 'DeadlineExceeded',
  5: 'NotFound',
  7: 'PermissionDenied',
  8: 'ResourceExhausted',
  12: 'Unimplemented',
  13: 'Internal',
  14: 'Unavailable',
  16: 'Unauthenticated',
};

/** HealthCheckRequest: field 1, the service's name. */
function encodeRequest(service: string): Buffer {
  const name = Buffer.from(service).subarray(0, 127);
  return name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
}

/** HealthCheckResponse: field 1, a varint; absent is UNKNOWN. */
function decodeStatus(bytes: Buffer): number {
  return bytes.length >= 2 && bytes[0] === 0x08 ? (bytes[1] ?? 0) : 0;
}
