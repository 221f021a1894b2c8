import {
  type AdapterIam,
  assertOwnName,
  type ConnectionTarget,
  ownProperties,
} from '@aurora-iam/core/adapter'
import { assertDriverOptions } from '@aurora-iam/mysql2/adapter'
import type { NodeOptions } from './data-source-types.ts'
import { withOptionPrefix } from './refusals.ts'
import { expandUrl } from './url.ts'

/** Options for TypeORM, and the targets that its connections then lead to. */
export interface Resolved<T> {
  readonly options: T
  readonly targets: readonly [ConnectionTarget, ...ConnectionTarget[]]
}

// Other options that `iam.resolve` refuses are those of IAM, in the second argument.
const ADDRESS = ['host', 'port', 'username']

/**
 * Resolves what to sign and where to connect for one database. In the options that it returns, `host` is the name to
 * verify. They have no `url`, which would win over `host`.
 *
 * @param path - prefix of `options` in messages, such as `'replication.slaves[0].'`
 * @throws {@link AuroraIamError} for an address that cannot be signed, and for what contradicts IAM
 */
export function resolveNode<T extends NodeOptions>(iam: AdapterIam, options: T, path = ''): Resolved<T> {
  const expanded = withOptionPrefix(path, () => ownProperties(expandUrl(ownProperties(options))))
  withOptionPrefix(path, () => assertDriverOptions(expanded))
  const { host, port, username } = expanded
  if (username === undefined)
    withOptionPrefix(path, () => assertOwnName(expanded, { own: 'username', foreign: 'user' }))
  const target = withOptionPrefix(
    path,
    () => iam.resolve({ host, port, user: username }, 'username'),
    (option) => ADDRESS.includes(option),
  )
  return { options: { ...expanded, host: target.hostname, port: target.port }, targets: [target] }
}
