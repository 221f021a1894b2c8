import {
  type AdapterIam,
  AuroraIamError,
  type CallerLimit,
  type ConnectionTarget,
  endpointKey,
} from '@aurora-iam/core/adapter'
import type { AuthPlugin } from 'mysql2'
import { clearPasswordPlugin, noPasswordPlugin } from './auth/clear-password-plugin.ts'
import { openWhenPermitted } from './connect/open-socket.ts'
import { PendingLogins } from './connect/pending-logins.ts'
import type { ConnectionHooks, ConnectionSettings } from './driver-types.ts'
import { isManaged, registerHooks } from './hooks-registry.ts'
import type { LifetimeOption } from './options/unsupported-option.ts'

/** mysql2's own default for `connectTimeout`, in milliseconds. */
export const DEFAULT_CONNECT_TIMEOUT_MS = 10_000

/** Settings of {@link connectionHooks}. */
export interface HookSettings {
  /** The nodes that are known, where their connections do not go to the name that is signed. */
  readonly target: ConnectionTarget | readonly ConnectionTarget[]
  /** From the opening of the socket to the end of the login, in milliseconds; 0 for no limit. */
  readonly connectTimeout: number
  readonly callerLimit?: CallerLimit | undefined
  /** An option that is refused where the connections belong to no managed pool. */
  readonly unmanaged?: LifetimeOption | undefined
}

/**
 * Returns the two hooks into mysql2, for adapters of libraries that are built on it. mysql2 calls `stream` before a
 * socket is opened, and `authPlugins` when the server asks for the password. Both read host, port and user from the
 * connection, so one pair serves any number of nodes.
 */
export function connectionHooks(
  iam: AdapterIam,
  { target, connectTimeout, callerLimit, unmanaged }: HookSettings,
): ConnectionHooks {
  const logins = new PendingLogins()
  const targets = [target].flat()
  const resolve = ({ host, port, user }: ConnectionSettings): ConnectionTarget => {
    const known = targets.find((one) => host === one.hostname && port === one.port)
    if (!known) return iam.resolve({ host, port, user })
    return user === undefined || user === known.username ? known : { ...known, username: user }
  }
  // A driver makes new settings for each connection, so the pool is told by its hooks and the node.
  const groups = new Map<string, object>()
  const groupOf = (target: ConnectionTarget): object => {
    const node = endpointKey(target)
    const group = groups.get(node) ?? {}
    groups.set(node, group)
    return group
  }
  const context = { iam, logins, followed: new WeakMap(), resolve, groupOf, connectTimeout, callerLimit }
  // mysql2's types call `command` a string.
  const noPassword = noPasswordPlugin(context) as unknown as AuthPlugin
  const hooks: ConnectionHooks = {
    stream: (options) => {
      assertFromMysql2(options)
      return openWhenPermitted(options.config, isManaged(hooks) ? context : { ...context, unmanaged })
    },
    authPlugins: {
      mysql_clear_password: clearPasswordPlugin(context) as unknown as AuthPlugin,
      mysql_native_password: noPassword,
      caching_sha2_password: noPassword,
      sha256_password: noPassword,
    },
  }
  registerHooks(hooks, iam)
  return hooks
}

/** Throws for a call by another driver, whose options have a `stream`, too: mariadb calls it with a function. */
function assertFromMysql2(options: unknown): void {
  if (typeof options === 'object' && options !== null && 'config' in options) return
  throw new AuroraIamError(
    'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
    'stream: called by another driver than mysql2, for which these options are. In Sequelize write ' +
      "`dialect: 'mysql'` and install mysql2. For the mariadb driver no adapter but @aurora-iam/prisma exists.",
    { option: 'stream' },
  )
}
