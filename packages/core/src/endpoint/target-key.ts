import type { Address, TokenTarget } from './connection-target.ts'

/** Returns `hostname:port`: what a limiter, a TLS session and statistics belong to. */
export function endpointKey({ hostname, port }: Pick<TokenTarget, 'hostname' | 'port'>): string {
  return `${hostname}:${port}`
}

/** Returns `host:port` of an address that is dialled. */
export function addressKey({ host, port }: Address): string {
  return `${host}:${port}`
}

/** Returns what a token is good for: one user at one endpoint, signed for one Region. */
export function tokenKey({
  hostname,
  port,
  username,
  region,
}: TokenTarget & { readonly region: string | undefined }): string {
  // The user comes last: it alone may hold any character.
  return `${hostname}:${port}/${region}/${username}`
}
