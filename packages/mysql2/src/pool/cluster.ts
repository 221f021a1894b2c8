import { AuroraIamError } from '@aurora-iam/core'
import type { PoolClusterOptions } from 'mysql2'

// Five failed logins take milliseconds, so a node is put aside often; it must come back soon after the cause has gone.
const RESTORE_NODE_TIMEOUT_MS = 1_000

/**
 * Options for mysql2's `createPoolCluster`. By default mysql2 removes a node for ever after five failed connections,
 * which one missing credential can cause in milliseconds; with these it is tried again after `restoreNodeTimeout`.
 * The nodes themselves go through `withAuroraIam`, each with its own host, port and user.
 *
 * ```ts
 * const cluster = mysql.createPoolCluster(auroraIamCluster())
 * cluster.add('WRITER', withAuroraIam({ host: writer, user, database }, iam))
 * ```
 *
 * @param options - mysql2's own. @defaultValue `{ restoreNodeTimeout: 1000 }`
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_CONFLICTING_OPTIONS` for a `restoreNodeTimeout` of 0
 */
export function auroraIamCluster(options: PoolClusterOptions = {}): PoolClusterOptions {
  const restoreNodeTimeout = options.restoreNodeTimeout ?? RESTORE_NODE_TIMEOUT_MS
  if (!(restoreNodeTimeout > 0)) {
    throw new AuroraIamError(
      'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
      'restoreNodeTimeout: with 0, mysql2 removes a node for ever after five failed connections. Give milliseconds, such as 1000.',
      { option: 'restoreNodeTimeout' },
    )
  }
  return { ...options, restoreNodeTimeout }
}
