/** A filter expression that cannot be used; the message is Consul's, without the endpoint's prefix. */
export class FilterError extends Error {
  override readonly name = 'FilterError';
}
