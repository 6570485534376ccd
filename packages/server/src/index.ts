export { createServerConfig, DEFAULT_SERVER_CONFIG, type ServerConfig } from './config.ts';
export { createServer, type Server, type ServerPorts } from './server.ts';
