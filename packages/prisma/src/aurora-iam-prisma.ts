import { type AuroraIam, AuroraIamError, type AuroraIamOptions } from '@aurora-iam/core'
import { type AdapterIam, adapterIam, describe } from '@aurora-iam/core/adapter'
import type { SqlDriverAdapterFactory } from '@prisma/driver-adapter-utils'
import { AuroraIamAdapterFactory } from './adapter.ts'
import { type CommonConfig, type Open, openWithIam, openWithPassword } from './connect/open-connection.ts'
import { type AuroraIamExtensionOptions, createExtension } from './extension.ts'
import { expandUrl } from './options/connection-url.ts'
import {
  type AuroraIamPrismaOptions,
  assertPassword,
  type PoolSettings,
  readPoolSettings,
} from './options/options.ts'
import { Activity, type AuroraIamStatus } from './status.ts'

/** What Prisma needs for a database on IAM, from {@link auroraIam}. */
export interface AuroraIamPrisma {
  /** For `new PrismaClient({ adapter })`. Several clients may have it, each with connections of its own. */
  readonly adapter: SqlDriverAdapterFactory
  /**
   * For `new PrismaClient({ adapter, transactionOptions })`: a `maxWait` that leaves time for a new connection.
   * Prisma's own is 2 seconds, after which a transaction fails with P2028 while its connection waits for its turn.
   */
  readonly transactionOptions: { readonly maxWait: number }
  /** For `prisma.$extends(extension())`: adds `prisma.$iam.status()` and, if asked to, repeats reads. */
  readonly extension: (options?: AuroraIamExtensionOptions) => ReturnType<typeof createExtension>
  /** What `prisma.$iam.status()` says, where there is no client at hand. */
  readonly status: () => AuroraIamStatus
}

// From the connection to the first answer of the server: SET TRANSACTION and BEGIN.
const BEGIN_MS = 1_000

/**
 * Prisma on Aurora MySQL with IAM: a live token, verified TLS and a place under the connection rate for every new
 * connection. Nothing is opened before Prisma connects.
 *
 * ```ts
 * const { adapter, transactionOptions, extension } = auroraIam({ host, user, database })
 * const prisma = new PrismaClient({ adapter, transactionOptions }).$extends(extension())
 * ```
 *
 * @param options - where the database is, without a password
 * @param iam - options, or an {@link AuroraIam} to share between clients. @defaultValue the AWS SDK's defaults
 * @throws {@link AuroraIamError} for everything about the options that can be known now
 */
export function auroraIam(
  options: AuroraIamPrismaOptions,
  iam?: AuroraIam | AuroraIamOptions,
): AuroraIamPrisma {
  if (typeof options !== 'object' || options === null) {
    throw new AuroraIamError(
      'ERR_AURORA_IAM_INVALID_OPTION',
      `options: expected an object such as { host, user, database } or { url }, got ${typeof options === 'string' ? 'a string' : describe(options)}.`,
      { option: 'options' },
    )
  }
  const shared = adapterIam(iam)
  const settings = readPoolSettings(options)
  const given = expandUrl(options)
  assertPassword(given, shared.enabled, options.password === undefined)
  const activity = new Activity()
  const open = connector(given, settings.connectTimeoutMs, shared, activity)
  const status = () => activity.status(shared.stats().tokensSigned)
  return {
    adapter: new AuroraIamAdapterFactory({ open, settings, activity }, given),
    transactionOptions: { maxWait: longestAcquireMs(settings, shared) + BEGIN_MS },
    extension: (extensionOptions = {}) => createExtension(extensionOptions, status),
    status,
  }
}

/** Returns the longest time until a transaction has a connection, or an error of its own. */
function longestAcquireMs(settings: PoolSettings, iam: AdapterIam): number {
  const { acquireTimeoutMs, isAcquireTimeoutStrict, connectTimeoutMs } = settings
  if (isAcquireTimeoutStrict) return acquireTimeoutMs
  return 2 * acquireTimeoutMs + iam.longestWaitMs + connectTimeoutMs
}

function connector(
  options: AuroraIamPrismaOptions,
  timeoutMs: number,
  iam: AdapterIam,
  observer: Activity,
): Open {
  const { host, port, user, password, database, ssl, sessionVariables, connectAttributes } = options
  const config: CommonConfig = { user, database, sessionVariables, connectAttributes }
  if (!iam.enabled) {
    const address = { host: host ?? 'localhost', port: port ?? 3306 }
    return openWithPassword({ address, config: { ...config, password, ssl }, timeoutMs, observer })
  }
  const target = iam.resolve({ host, port, user })
  return openWithIam({ iam, target, ssl, config, timeoutMs, observer })
}
