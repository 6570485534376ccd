import {
  checkServiceNodeFilterType,
  compileFilter,
  FilterError,
  type FilterType,
  healthCheckFilterType,
  intentionFilterType,
  nodeFilterType,
  nodeServiceFilterType,
  serviceDefaultsFilterType,
  serviceInstanceFilterType,
} from '@lictor/mesh';
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

/** Whether a row is wanted; without an expression all are. */
type Predicate<Row> = (row: Row) => boolean;
type PredicateOf<Row> = (expression: string | undefined) => Predicate<Row>;

const wantAll = (): boolean => true;

/** Filters run on what the caller may see: on hidden rows they would tell what those hold. */
export const nodeFilter: PredicateOf<Node> = predicateOver(nodeFilterType);
export const nodeServiceFilter: PredicateOf<NodeService> = predicateOver(nodeServiceFilterType);
export const serviceInstanceFilter: PredicateOf<ServiceInstance> = predicateOver(serviceInstanceFilterType);
export const checkFilter: PredicateOf<HealthCheck> = predicateOver(healthCheckFilterType);
export const checkServiceNodeFilter: PredicateOf<CheckServiceNode> = predicateOver(checkServiceNodeFilterType);
export const configEntryFilter: PredicateOf<ConfigEntry> = predicateOver(serviceDefaultsFilterType);
export const intentionFilter: PredicateOf<Intention> = predicateOver(intentionFilterType);

function predicateOver<Row>(type: FilterType): PredicateOf<Row> {
  return (expression) => {
    if (expression === undefined || expression === '') return wantAll;
    try {
      return compileFilter(expression, type);
    } catch (thrown) {
      if (!(thrown instanceof FilterError)) throw thrown;
      throw new LictorError('rejected', `Failed to create boolean expression evaluator: ${thrown.message}`, { cause: thrown });
    }
  };
}
