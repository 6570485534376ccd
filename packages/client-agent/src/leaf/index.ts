export { LeafManager, type LeafPorts } from './manager.ts';
