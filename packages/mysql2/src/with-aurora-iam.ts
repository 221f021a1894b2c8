import type { AuroraIam, AuroraIamOptions } from '@aurora-iam/core'
import { type AdapterIam, adapterIam, assertOwnName, ownProperties } from '@aurora-iam/core/adapter'
import type { Mysql2Options } from './driver-types.ts'
import { connectionHooks, DEFAULT_CONNECT_TIMEOUT_MS, type HookSettings } from './hooks.ts'
import { expandUri } from './options/connection-uri.ts'
import { assertDriverOptions, assertOptionsObject, assertPlainPassword } from './options/driver-options.ts'
import { sslFor } from './options/ssl.ts'
import { assertNoPoolOptions, lifetimeOptionOf } from './options/unsupported-option.ts'

/**
 * Returns mysql2's own `options` with a live IAM token, verified TLS and a permit of the rate limit for each new
 * connection: for `createPool`, `createConnection`, `cluster.add`, and libraries that take the same options. It opens
 * nothing, and the object that is passed in stays unchanged.
 *
 * ```ts
 * const pool = mysql.createPool(withAuroraIam({ host, user, database }))
 * ```
 *
 * @param options - mysql2's options, without a password
 * @param iam - options, or an {@link AuroraIam} to share between pools. @defaultValue the AWS SDK's defaults
 * @returns a copy of `options`. Its `connectTimeout` includes the wait for a permit. The caller's own value counts from
 * the opening of the socket to the end of the login
 * @throws {@link AuroraIamError} for everything that is wrong with the options
 */
export function withAuroraIam(options: Mysql2Options, iam?: AuroraIam | AuroraIamOptions): Mysql2Options {
  const shared = adapterIam(iam)
  assertNoPoolOptions(iam)
  return withHooks(options, shared, { unmanaged: lifetimeOptionOf(iam) })
}

/** Settings of {@link withHooks}. */
export interface HookOptions extends Pick<HookSettings, 'callerLimit' | 'unmanaged'> {}

/**
 * Returns what {@link withAuroraIam} returns, for adapters of libraries whose pool is another one.
 *
 * @throws {@link AuroraIamError} for everything that is wrong with the options
 */
export function withHooks(options: Mysql2Options, iam: AdapterIam, settings: HookOptions): Mysql2Options {
  assertOptionsObject(options)
  if (!iam.enabled) {
    assertPlainPassword(ownProperties(options))
    return { ...options }
  }
  const { host, port, user, ssl, connectTimeout, authPlugins, ...rest } = ownProperties(
    expandUri(ownProperties(options)),
  )
  assertDriverOptions({ ...rest, authPlugins, connectTimeout })
  if (user === undefined) assertOwnName(rest, { own: 'user', foreign: 'username' })
  const target = iam.resolve({ host, port, user })
  const loginTimeout = connectTimeout ?? DEFAULT_CONNECT_TIMEOUT_MS
  const hooks = connectionHooks(iam, { ...settings, target, connectTimeout: loginTimeout })
  return {
    ...rest,
    host: target.hostname,
    port: target.port,
    user,
    ssl: sslFor(iam, target, ssl),
    connectTimeout: iam.driverTimeoutMs(loginTimeout),
    stream: hooks.stream,
    authPlugins: { ...hooks.authPlugins, ...authPlugins },
  }
}
