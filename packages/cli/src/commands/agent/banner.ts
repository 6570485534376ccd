import type { RuntimeConfig } from '@lictor/client-agent';
import { API_VERSION } from '@lictor/protocol';

/** What the agent prints before its log, label by label as Consul does: scripts grep these lines (consul-facts C001). */
export function formatBanner(config: RuntimeConfig, isGossipEncrypted: boolean): string {
  const { ports } = config;
  const segment = config.server ? '<all>' : '';
  const rows: readonly (readonly [string, string])[] = [
    ['Version', `'${API_VERSION}'`],
    ['Build Date', "'1970-01-01 00:00:01 +0000 UTC'"],
    ['Node ID', `'${config.nodeId}'`],
    ['Node name', `'${config.nodeName}'`],
    ['Datacenter', `'${config.datacenter}' (Segment: '${segment}')`],
    ['Server', `${config.server} (Bootstrap: ${config.bootstrap})`],
    [
      'Client Addr',
      `[${config.clientAddresses.join(' ')}] (HTTP: ${ports.http}, HTTPS: ${ports.https}, gRPC: ${ports.grpc}, gRPC-TLS: ${ports.grpcTls}, DNS: ${ports.dns})`,
    ],
    ['Cluster Addr', `${config.advertiseAddress} (LAN: ${ports.serfLan}, WAN: ${ports.serfWan})`],
    ['Gossip Encryption', String(isGossipEncrypted)],
    ['Auto-Encrypt-TLS', String(config.autoEncrypt.tls || config.autoEncrypt.allowTls)],
    ['ACL Enabled', String(config.aclEnabled)],
    ['ACL Default Policy', config.aclDefaultPolicy],
    ['HTTPS TLS', `Verify Incoming: ${config.http.verifyIncoming}, Verify Outgoing: false, Min Version: TLSv1_2`],
    ['gRPC TLS', 'Verify Incoming: false, Min Version: TLSv1_2'],
    ['Internal RPC TLS', formatRpcTls(config.internalRpcTls)],
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  const lines = rows.map(([label, value]) => `    ${label.padStart(width)}: ${value}`);
  return ['==> Starting Consul agent...', ...lines, '', '==> Log data will now stream in as it occurs:', ''].join('\n');
}

function formatRpcTls({ verifyIncoming, verifyOutgoing, verifyServerHostname, minVersion }: RuntimeConfig['internalRpcTls']): string {
  const version = minVersion === 'TLSv1.3' ? 'TLSv1_3' : 'TLSv1_2';
  return `Verify Incoming: ${verifyIncoming}, Verify Outgoing: ${verifyOutgoing} (Verify Hostname: ${verifyServerHostname}), Min Version: ${version}`;
}
