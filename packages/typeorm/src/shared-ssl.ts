import type { AdapterIam, ConnectionTarget } from '@aurora-iam/core/adapter'
import { sslFor } from '@aurora-iam/mysql2/adapter'
import type { SslOptions } from 'mysql2'

/**
 * Returns the one `ssl` that TypeORM has for all nodes. Each is verified by its own name; the certificate authorities are
 * those of all of them, which differ between Regions, and between a database and RDS Proxy.
 *
 * @param ssl - the caller's own `ssl` option; whatever would weaken it is refused
 */
export function sharedSsl(
  iam: AdapterIam,
  [first, ...others]: readonly [ConnectionTarget, ...ConnectionTarget[]],
  ssl: unknown,
): SslOptions {
  const shared = sslFor(iam, first, ssl)
  const foreign = others.map((target) => sslFor(iam, target, ssl).ca).filter((ca) => ca !== shared.ca)
  return foreign.length === 0 ? shared : { ...shared, ca: [shared.ca, ...foreign].flat() as string[] }
}
