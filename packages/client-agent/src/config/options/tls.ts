import { option } from './types.ts';

const protocols = ['defaults', 'https', 'grpc', 'internal_rpc'] as const;

const inert = { status: 'inert' } as const;

/** TLS of the agent's listeners and of traffic between nodes. */
export const tlsOptions = [
  ...protocols.flatMap((protocol) => {
    const files = protocol === 'grpc' ? inert : {};
    const rest = protocol === 'grpc' || protocol === 'https' ? inert : {};
    return [
      option(`tls.${protocol}.ca_file`, 'string', 'PEM of the CA that signs peers.', files),
      option(`tls.${protocol}.cert_file`, 'string', 'PEM of the certificate.', files),
      option(`tls.${protocol}.key_file`, 'string', 'PEM of the key.', files),
      option(`tls.${protocol}.ca_path`, 'string', 'Folder of CA PEMs, without a `ca_file`.', rest),
      option(`tls.${protocol}.tls_min_version`, 'string', 'TLSv1_2 or TLSv1_3.', rest),
      option(`tls.${protocol}.tls_cipher_suites`, 'string', 'TLS 1.2 suites, by their IANA names, with commas.', rest),
    ];
  }),
  ...protocols.map((protocol) => option(`tls.${protocol}.verify_incoming`, 'bool', 'Callers must show a certificate.')),
  ...protocols.map((protocol) => {
    if (protocol === 'grpc') return option(`tls.${protocol}.verify_outgoing`, 'bool', 'An error: nothing is called there.');
    return option(`tls.${protocol}.verify_outgoing`, 'bool', 'Servers must show a certificate.', protocol === 'https' ? inert : {});
  }),
  ...protocols.map((protocol) => {
    const isHere = protocol === 'defaults' || protocol === 'internal_rpc';
    const doc = isHere ? 'Their certificates must name `server.<dc>.<domain>`, also to speak Raft.' : 'An error: of internal_rpc only.';
    return option(`tls.${protocol}.verify_server_hostname`, 'bool', doc);
  }),
  ...protocols.map((protocol) => {
    if (protocol === 'grpc') return option(`tls.${protocol}.use_auto_cert`, 'bool', 'Use the certificate of auto_encrypt.', inert);
    return option(`tls.${protocol}.use_auto_cert`, 'bool', 'An error: of grpc only.');
  }),
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
  option('auto_encrypt.tls', 'bool', 'Get the certificate from the servers; of a client.', { default: false }),
  option('auto_encrypt.allow_tls', 'bool', 'Give certificates to clients; of a server with TLS.', { default: false }),
  option('auto_encrypt.dns_san', 'strings', 'DNS names in that certificate beside localhost.'),
  option('auto_encrypt.ip_san', 'strings', 'Addresses in that certificate beside the loopback ones.'),
  option('auto_config', 'map', 'Configuration by token.', { status: 'inert' }),
] as const;
