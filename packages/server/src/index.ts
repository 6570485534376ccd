export { createServerConfig, DEFAULT_SERVER_CONFIG, type ServerConfig } from './config.ts';
export type { Applied, Consensus, Disk, LogDisk, StoredRecord } from './consensus/index.ts';
export { createServer, type Server, type ServerPorts } from './server.ts';
