import type { AdapterIam, ConnectionTarget } from '@aurora-iam/core/adapter'
import { sslFor } from '@aurora-iam/mysql2/adapter'
import type { SslOptions } from 'mysql2'

/**
 * Returns the one `ssl` for all nodes. Each node is verified by its own name. The certificate authorities are those of
 * all nodes together: they differ between Regions, and between a database and RDS Proxy.
 *
 * Assumption 5: TypeORM gives each node the `ssl` beside `replication` (https://github.com/typeorm/typeorm/issues/8409).
 *
 * @param ssl - the caller's own `ssl` option. What would weaken the verification is refused
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
