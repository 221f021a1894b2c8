import { type AdapterIam, type ConnectionTarget, endpointKey } from '@aurora-iam/core/adapter'
import type { SslOptions } from 'mysql2'

// mysql2 keeps its secure context and TLS sessions by the identity of this object: one for each endpoint lets the
// second connection resume the session of the first.
const sslByIam = new WeakMap<AdapterIam, Map<string, SslOptions>>()

/**
 * Returns mysql2's `ssl` for connections to `target`: `verifyIdentity`, which mysql2 leaves off, is what checks the
 * host name.
 *
 * @param ssl - the caller's own `ssl` option; whatever would weaken it is refused
 */
export function sslFor(iam: AdapterIam, target: ConnectionTarget, ssl: unknown): SslOptions {
  if (ssl !== undefined) return toSsl(iam, target, ssl)
  const byEndpoint = sslByIam.get(iam) ?? new Map<string, SslOptions>()
  sslByIam.set(iam, byEndpoint)
  const endpoint = endpointKey(target)
  const shared = byEndpoint.get(endpoint) ?? toSsl(iam, target, undefined)
  byEndpoint.set(endpoint, shared)
  return shared
}

function toSsl(iam: AdapterIam, target: ConnectionTarget, ssl: unknown): SslOptions {
  const { ca, minVersion, rejectUnauthorized, rest } = iam.tls(target, ssl)
  return { ...rest, ca: ca as SslOptions['ca'], minVersion, rejectUnauthorized, verifyIdentity: true }
}
