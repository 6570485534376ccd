export { CoordinateSender, type CoordinateSenderPorts, sendIntervalMs } from './coordinate-sender.ts';
