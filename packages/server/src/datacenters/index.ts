export { DatacenterCalls, type DatacenterCallsPorts } from './datacenter-calls.ts';
export { type DatacenterDirectory, datacentersByDistance, loneDatacenter, type WanServer } from './directory.ts';
