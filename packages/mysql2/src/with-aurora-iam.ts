import type { AuroraIam, AuroraIamOptions } from '@aurora-iam/core'
import { adapterIam } from '@aurora-iam/core/adapter'
import type { Mysql2Options } from './driver-types.ts'
import { connectionHooks, DEFAULT_CONNECT_TIMEOUT_MS } from './hooks.ts'
import { expandUri } from './options/connection-uri.ts'
import { assertDriverOptions, assertPlainPassword } from './options/driver-options.ts'
import { sslFor } from './options/ssl.ts'

/**
 * Returns mysql2's own `options` with a live IAM token, verified TLS and a place under the connection rate on every
 * new connection. For `createPool`, `createConnection`, `cluster.add`, and everything that takes the same options.
 * The object that is passed in is left as it is.
 *
 * ```ts
 * const pool = mysql.createPool(withAuroraIam({ host, user, database }))
 * ```
 *
 * @param options - mysql2's options, without a password
 * @param iam - options, or an {@link AuroraIam} to share between pools. @defaultValue the AWS SDK's defaults
 * @returns a copy of `options`; `connectTimeout` in it includes the wait for a place, the caller's own value holds
 * from the opening of the socket to the end of the login
 * @throws {@link AuroraIamError} for everything about the options that can be known now
 */
export function withAuroraIam<T extends Mysql2Options>(options: T, iam?: AuroraIam | AuroraIamOptions): T {
  const shared = adapterIam(iam)
  if (!shared.enabled) {
    assertPlainPassword(options)
    return { ...options }
  }
  const { host, port, user, ssl, connectTimeout, authPlugins, ...rest } = expandUri(options)
  assertDriverOptions({ ...rest, authPlugins, connectTimeout })
  const target = shared.resolve({ host, port, user })
  const loginTimeout = connectTimeout ?? DEFAULT_CONNECT_TIMEOUT_MS
  const hooks = connectionHooks(shared, { target, connectTimeout: loginTimeout })
  return {
    ...rest,
    host: target.hostname,
    port: target.port,
    user,
    ssl: sslFor(shared, target, ssl),
    connectTimeout: shared.driverTimeoutMs(loginTimeout),
    stream: hooks.stream,
    authPlugins: { ...hooks.authPlugins, ...authPlugins },
  } as unknown as T
}
