import type { Address } from './address.ts'
import type { TokenTarget } from './connection-target.ts'

// A target and an address are made once for a pool, and their keys are asked for with every login.
const endpointKeys = new WeakMap<object, string>()
const addressKeys = new WeakMap<object, string>()
const tokenKeys = new WeakMap<object, string>()

/** Returns `hostname:port`: what a limiter, a TLS session and statistics belong to. */
export function endpointKey(target: Readonly<Pick<TokenTarget, 'hostname' | 'port'>>): string {
  return endpointKeys.get(target) ?? remember(endpointKeys, target, `${target.hostname}:${target.port}`)
}

/** Returns `host:port` of an address that is dialled. */
export function addressKey(address: Address): string {
  return addressKeys.get(address) ?? remember(addressKeys, address, `${address.host}:${address.port}`)
}

/** Returns what a token is good for: one user at one endpoint, signed for one Region. */
export function tokenKey(target: TokenTarget & { readonly region: string | undefined }): string {
  const known = tokenKeys.get(target)
  if (known !== undefined) return known
  const { hostname, port, username, region } = target
  // The user comes last: it alone may hold any character.
  return remember(tokenKeys, target, `${hostname}:${port}/${region}/${username}`)
}

function remember(keys: WeakMap<object, string>, owner: object, key: string): string {
  keys.set(owner, key)
  return key
}
