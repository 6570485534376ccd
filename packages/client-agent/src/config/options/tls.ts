import { option } from './types.ts';

const protocols = ['defaults', 'https', 'grpc', 'internal_rpc'] as const;

/** TLS of the agent's listeners and of traffic between nodes. */
export const tlsOptions = [
  ...protocols.flatMap((protocol) => {
    const extra = protocol === 'grpc' || protocol === 'internal_rpc' ? ({ status: 'inert' } as const) : {};
    return [
      option(`tls.${protocol}.ca_file`, 'string', 'PEM of the CA that signs peers.', extra),
      option(`tls.${protocol}.cert_file`, 'string', 'PEM of the certificate.', extra),
      option(`tls.${protocol}.key_file`, 'string', 'PEM of the key.', extra),
      option(`tls.${protocol}.ca_path`, 'string', 'Folder of CA PEMs.', { status: 'inert' }),
      option(`tls.${protocol}.tls_min_version`, 'string', 'TLSv1_2 or TLSv1_3.', { status: 'inert' }),
      option(`tls.${protocol}.tls_cipher_suites`, 'string', 'TLS 1.2 suites.', { status: 'inert' }),
    ];
  }),
  ...protocols.map((protocol) => option(`tls.${protocol}.verify_incoming`, 'bool', 'Callers must show a certificate.')),
  ...protocols.map((protocol) =>
    option(`tls.${protocol}.verify_outgoing`, 'bool', 'Check the certificates of servers.', { status: 'inert' }),
  ),
  ...protocols.map((protocol) =>
    option(`tls.${protocol}.verify_server_hostname`, 'bool', 'Servers are named server.<dc>.<domain>.', { status: 'inert' }),
  ),
  ...protocols.map((protocol) =>
    option(`tls.${protocol}.use_auto_cert`, 'bool', 'Use the certificate of auto_encrypt.', { status: 'inert' }),
  ),
  option('ca_file', 'string', 'Old name.', { status: 'deprecated', replacedBy: 'tls.defaults.ca_file' }),
  option('ca_path', 'string', 'Old name.', { status: 'deprecated', replacedBy: 'tls.defaults.ca_path' }),
  option('cert_file', 'string', 'Old name.', { status: 'deprecated', replacedBy: 'tls.defaults.cert_file' }),
  option('key_file', 'string', 'Old name.', { status: 'deprecated', replacedBy: 'tls.defaults.key_file' }),
  option('tls_min_version', 'string', 'Old name.', { status: 'deprecated', replacedBy: 'tls.defaults.tls_min_version' }),
  option('tls_cipher_suites', 'string', 'Old name.', { status: 'deprecated', replacedBy: 'tls.defaults.tls_cipher_suites' }),
  option('verify_incoming', 'bool', 'Old name.', { status: 'deprecated', replacedBy: 'tls.defaults.verify_incoming' }),
  option('verify_incoming_https', 'bool', 'Old name.', { status: 'deprecated', replacedBy: 'tls.https.verify_incoming' }),
  option('verify_incoming_rpc', 'bool', 'Old name.', { status: 'deprecated', replacedBy: 'tls.internal_rpc.verify_incoming' }),
  option('verify_outgoing', 'bool', 'Old name.', { status: 'deprecated', replacedBy: 'tls.defaults.verify_outgoing' }),
  option('verify_server_hostname', 'bool', 'Old name.', {
    status: 'deprecated',
    replacedBy: 'tls.internal_rpc.verify_server_hostname',
  }),
  option('tls_prefer_server_cipher_suites', 'bool', 'Has no meaning since TLS 1.3.', { status: 'inert' }),
  option('auto_encrypt.tls', 'bool', 'Get the certificate from the servers.', { default: false, status: 'inert' }),
  option('auto_encrypt.allow_tls', 'bool', 'Give certificates to clients.', { default: false, status: 'inert' }),
  option('auto_encrypt.dns_san', 'strings', 'More DNS names.', { status: 'inert' }),
  option('auto_encrypt.ip_san', 'strings', 'More addresses.', { status: 'inert' }),
  option('auto_config', 'map', 'Configuration by token.', { status: 'inert' }),
] as const;
