/**
 * Without those that ask a cloud who the members are (`provider=aws secret_access_key=x`): nothing here asks one, and as a name to look up they
 * would carry their credentials into logs and name servers.
 */
export function plainAddresses(addresses: readonly string[]): readonly string[] {
  return addresses.filter((address) => !address.includes('provider='));
}
