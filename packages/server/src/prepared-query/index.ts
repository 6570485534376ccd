export { failOver } from './failover.ts';
export { nearestFirst, originOf } from './order.ts';
export { queryNotFound, resolveQuery } from './resolve.ts';
export { selectInstances } from './select.ts';
export { validateQuery } from './validate.ts';
export { isListed, redact, ruledName } from './visibility.ts';
