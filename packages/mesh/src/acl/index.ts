export { type AclAccess, type AclResource, allowAll, type Authorizer } from './authorizer.ts';
