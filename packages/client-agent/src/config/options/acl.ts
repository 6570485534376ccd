import { option } from './types.ts';

const secret = { isSecret: true } as const;

/** Access control and the intention default. */
export const aclOptions = [
  option('acl.enabled', 'bool', 'Check tokens.', { default: false }),
  option('acl.default_policy', 'string', '`allow` or `deny` where no rule speaks.', { default: 'allow' }),
  option('acl.down_policy', 'string', 'What to do when the servers cannot be asked.', { default: 'extend-cache', status: 'inert' }),
  option('acl.policy_ttl', 'duration', 'How long policies are cached.', { default: '30s', status: 'inert' }),
  option('acl.token_ttl', 'duration', 'How long tokens are cached.', { default: '30s', status: 'inert' }),
  option('acl.role_ttl', 'duration', 'How long roles are cached.', { default: '0s', status: 'inert' }),
  option('acl.enable_token_replication', 'bool', 'Copy tokens from the primary datacenter.', { status: 'inert' }),
  option('acl.enable_token_persistence', 'bool', 'Keep tokens set over the API in data_dir.', { default: false, status: 'inert' }),
  option('acl.enable_key_list_policy', 'bool', 'Listing keys needs `list` rules.', { default: false, status: 'inert' }),
  option('acl.tokens.initial_management', 'string', 'The first management token.', { ...secret, status: 'inert' }),
  option('acl.tokens.agent', 'string', "For the agent's own work.", secret),
  option('acl.tokens.agent_recovery', 'string', 'Works on this agent when no server answers.', secret),
  option('acl.tokens.default', 'string', 'For requests that bring no token.', secret),
  option('acl.tokens.replication', 'string', 'For copying from the primary datacenter.', secret),
  option('acl.tokens.config_file_service_registration', 'string', 'For services and checks from files.', secret),
  option('acl.tokens.dns', 'string', 'For DNS answers.', secret),
  option('acl.tokens.managed_service_provider', 'maps', 'Enterprise.', { status: 'enterprise' }),
  option('acl.msp_disable_bootstrap', 'bool', 'Enterprise.', { status: 'enterprise' }),
  option('default_intention_policy', 'string', '`allow` or `deny` where no intention speaks. Default: the ACL default.'),
  option('acl.tokens.master', 'string', 'Old name.', { ...secret, status: 'deprecated', replacedBy: 'acl.tokens.initial_management' }),
  option('acl.tokens.agent_master', 'string', 'Old name.', { ...secret, status: 'deprecated', replacedBy: 'acl.tokens.agent_recovery' }),
  option('acl_agent_master_token', 'string', 'Old name.', { ...secret, status: 'deprecated', replacedBy: 'acl.tokens.agent_recovery' }),
  option('acl_agent_token', 'string', 'Old name.', { ...secret, status: 'deprecated', replacedBy: 'acl.tokens.agent' }),
  option('acl_token', 'string', 'Old name.', { ...secret, status: 'deprecated', replacedBy: 'acl.tokens.default' }),
  option('acl_master_token', 'string', 'Old name.', { ...secret, status: 'deprecated', replacedBy: 'acl.tokens.initial_management' }),
  option('acl_replication_token', 'string', 'Old name.', { ...secret, status: 'deprecated', replacedBy: 'acl.tokens.replication' }),
  option('enable_acl_replication', 'bool', 'Old name.', { status: 'deprecated', replacedBy: 'acl.enable_token_replication' }),
  option('acl_datacenter', 'string', 'Old name; also turns ACLs on.', { status: 'deprecated', replacedBy: 'primary_datacenter' }),
  option('acl_default_policy', 'string', 'Old name.', { status: 'deprecated', replacedBy: 'acl.default_policy' }),
  option('acl_down_policy', 'string', 'Old name.', { status: 'deprecated', replacedBy: 'acl.down_policy' }),
  option('acl_ttl', 'duration', 'Old name.', { status: 'deprecated', replacedBy: 'acl.token_ttl' }),
  option('acl_enable_key_list_policy', 'bool', 'Old name.', { status: 'deprecated', replacedBy: 'acl.enable_key_list_policy' }),
] as const;
