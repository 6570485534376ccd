import { findServiceProblems, isAnyAddress, joinProblems } from '@lictor/mesh';
import { LictorError, type NodeService } from '@lictor/protocol';

/**
 * What the catalog refuses of an instance, in Consul's order and words. Transactions run the same rules.
 * @throws LictorError `rejected`
 */
export function assertService(service: NodeService): void {
  const problems = findServiceProblems(service);
  if (problems.length > 0) throw new LictorError('rejected', joinProblems(problems));
  if (service.ID !== '' && service.Service === '') {
    throw new LictorError('rejected', 'Must provide service name (Service.Service) when service ID is provided');
  }
  if (service.ID === '' && service.Service === '') {
    throw new LictorError('rejected', 'failed inserting service: failed inserting service: object missing primary index');
  }
  if (isAnyAddress(service.Address)) throw new LictorError('rejected', 'Invalid service address');
}
