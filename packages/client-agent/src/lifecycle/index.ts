export { checkDefinitions, Lifecycle, type LifecyclePorts } from './reload.ts';
export { AgentTokenStore } from './tokens.ts';
