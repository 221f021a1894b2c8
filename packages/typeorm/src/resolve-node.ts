import {
  type AdapterIam,
  assertOwnName,
  type ConnectionTarget,
  ownProperties,
} from '@aurora-iam/core/adapter'
import { assertDriverOptions } from '@aurora-iam/mysql2/adapter'
import type { NodeOptions } from './data-source-types.ts'
import { named } from './refusals.ts'
import { expandUrl } from './url.ts'

/** Options that TypeORM can be given, and where its connections then lead. */
export interface Resolved<T> {
  readonly options: T
  readonly targets: readonly [ConnectionTarget, ...ConnectionTarget[]]
}

// What `iam.resolve` may refuse beside these are options of IAM, which stand elsewhere.
const ADDRESS = ['host', 'port', 'username']

/**
 * Decides what to sign and where to connect for one database. In the options `host` is the name to verify, and there
 * is no `url`, which would win over it.
 *
 * @param path - where `options` stand, such as `'replication.slaves[0].'`
 * @throws {@link AuroraIamError} for an address that cannot be signed, and for what contradicts IAM
 */
export function resolveNode<T extends NodeOptions>(iam: AdapterIam, options: T, path = ''): Resolved<T> {
  const expanded = named(path, () => ownProperties(expandUrl(ownProperties(options))))
  named(path, () => assertDriverOptions(expanded))
  const { host, port, username } = expanded
  if (username === undefined) named(path, () => assertOwnName(expanded, { own: 'username', foreign: 'user' }))
  const target = named(
    path,
    () => iam.resolve({ host, port, user: username }, 'username'),
    (option) => ADDRESS.includes(option),
  )
  return { options: { ...expanded, host: target.hostname, port: target.port }, targets: [target] }
}
