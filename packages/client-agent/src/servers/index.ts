export { type KnownServer, ServerList, type ServerListPorts, type ServerSource } from './server-list.ts';
export { type RemoteCalls, ServerRouter, type ServerRouterPorts } from './server-router.ts';
