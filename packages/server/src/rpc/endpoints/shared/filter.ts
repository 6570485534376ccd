import {
  type CheckServiceNode,
  type ConfigEntry,
  type HealthCheck,
  type Intention,
  LictorError,
  type Node,
  type NodeService,
  type ServiceInstance,
} from '@lictor/protocol';

type Predicate<Row> = (row: Row) => boolean;

function compile<Row>(expression: string | undefined): Predicate<Row> {
  if (expression === undefined || expression === '') return () => true;
  throw new LictorError('rejected', 'Failed to create boolean expression evaluator: filters are not supported yet');
}

export const nodeFilter = (expression: string | undefined): Predicate<Node> => compile(expression);
export const nodeServiceFilter = (expression: string | undefined): Predicate<NodeService> => compile(expression);
export const serviceInstanceFilter = (expression: string | undefined): Predicate<ServiceInstance> => compile(expression);
export const checkFilter = (expression: string | undefined): Predicate<HealthCheck> => compile(expression);
export const checkServiceNodeFilter = (expression: string | undefined): Predicate<CheckServiceNode> => compile(expression);
export const configEntryFilter = (expression: string | undefined): Predicate<ConfigEntry> => compile(expression);
export const intentionFilter = (expression: string | undefined): Predicate<Intention> => compile(expression);
