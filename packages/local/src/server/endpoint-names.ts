/** Returns the address that an endpoint name leads to: the reader's, if there is one, for a reader endpoint. */
export function endpointAddress<Address>(
  name: string,
  writer: Address,
  reader: Address | undefined,
): Address {
  return name.includes('.cluster-ro-') ? (reader ?? writer) : writer
}

/** Returns the name that the old writer has after a switchover: `db.…` becomes `db-old1.…`. */
export function nameAfterSwitchover(name: string): string {
  const [label = '', ...domain] = name.split('.')
  return [`${label}-old1`, ...domain].join('.')
}
