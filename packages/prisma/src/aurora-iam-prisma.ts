import type { AuroraIam, AuroraIamOptions } from '@aurora-iam/core'
import {
  type AdapterIam,
  adapterIam,
  assertOptionsObject,
  LONGEST_TIMER_MS,
  ownProperties,
} from '@aurora-iam/core/adapter'
import type { SqlDriverAdapterFactory } from '@prisma/driver-adapter-utils'
import { AuroraIamAdapterFactory } from './adapter.ts'
import { type CommonConfig, openWithIam, openWithPassword } from './connect/open-connection.ts'
import {
  type AuroraIamExtension,
  type AuroraIamExtensionOptions,
  createExtension,
  type WarmUp,
} from './extension.ts'
import { expandUrl } from './options/connection-url.ts'
import {
  type AuroraIamPrismaOptions,
  assertPassword,
  type PoolSettings,
  plainSsl,
  readPoolSettings,
} from './options/options.ts'
import type { PoolContext } from './pool/connection-pool.ts'
import { Activity, type AuroraIamStatus } from './status.ts'

/**
 * Driver adapter for `new PrismaClient({ adapter })`. A program can export it without a dependency on Prisma's types.
 */
export interface AuroraIamAdapter extends SqlDriverAdapterFactory {}

/** Parts of a PrismaClient for a database with IAM, from {@link auroraIam}. */
export interface AuroraIamPrisma {
  /** Adapter for `new PrismaClient({ adapter })`. Each client that is given it has its own connections. */
  readonly adapter: AuroraIamAdapter
  /**
   * Options for `new PrismaClient({ adapter, transactionOptions })`. Their `maxWait` leaves time for a new connection.
   * Prisma's default is 2 seconds, after which a transaction fails with P2028 although its connection waits for a
   * permit.
   */
  readonly transactionOptions: { readonly maxWait: number }
  /**
   * Returns the extension for `prisma.$extends(extension())`. It adds `prisma.$iam.status()` and
   * `prisma.$iam.warmUp()`. With `retryReads` it retries reads.
   *
   * @throws {@link AuroraIamError} `ERR_AURORA_IAM_UNKNOWN_OPTION` or `ERR_AURORA_IAM_INVALID_OPTION`
   */
  readonly extension: (options?: AuroraIamExtensionOptions) => AuroraIamExtension
  /** Returns the same as `prisma.$iam.status()`. */
  readonly status: () => AuroraIamStatus
  /**
   * Does the same as `prisma.$iam.warmUp()`: opens connections before they are needed, for a readiness probe and after
   * a deployment. They are opened at the pace of the rate limit, behind connections that a query needs.
   *
   * @param count - open connections afterwards in each connected client, from 1 to `connectionLimit`
   * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION` before `$connect()`, and for another `count`
   * @throws the first error of a connection that could not be opened
   */
  readonly warmUp: WarmUp
}

// Time for SET TRANSACTION and BEGIN on a new connection.
const BEGIN_MS = 1_000

/**
 * Returns the parts of a PrismaClient on Aurora MySQL with IAM. Every new connection gets a token that is valid,
 * verified TLS and a permit of the rate limit. Nothing is opened before Prisma connects.
 *
 * ```ts
 * const { adapter, transactionOptions, extension } = auroraIam({ host, user, database })
 * const prisma = new PrismaClient({ adapter, transactionOptions }).$extends(extension())
 * ```
 *
 * @param options - address of the database without a password, and settings of the pool
 * @param iam - options, or an {@link AuroraIam} to share between clients. @defaultValue the AWS SDK's defaults
 * @throws {@link AuroraIamError} for every invalid option, before a socket is opened
 */
export function auroraIam(
  options: AuroraIamPrismaOptions,
  iam?: AuroraIam | AuroraIamOptions,
): AuroraIamPrisma {
  assertOptionsObject(options, { option: 'options', shape: 'such as { host, user, database }', url: 'url' })
  const shared = adapterIam(iam)
  // Own properties alone: a polluted Object.prototype must not decide where the token goes.
  const own = ownProperties(options)
  const settings = readPoolSettings(own)
  const given = ownProperties(expandUrl(own))
  assertPassword(given, shared.enabled, own.password === undefined)
  const activity = new Activity()
  const connector = connectorFor(given, settings, shared, activity)
  const status = () => activity.status(shared.stats().tokensSigned)
  const warmUp: WarmUp = (count, warmUpOptions) => activity.warmUp(count, warmUpOptions)
  return {
    adapter: new AuroraIamAdapterFactory({ ...connector, settings, activity }, given),
    // Prisma passes it to a timer of Node, which has a longest time.
    transactionOptions: {
      maxWait: Math.min(longestAcquireMs(settings, shared) + BEGIN_MS, LONGEST_TIMER_MS),
    },
    extension: (extensionOptions = {}) => createExtension(extensionOptions, { status, warmUp }),
    status,
    warmUp,
  }
}

/** Returns the longest time until a transaction has a connection or fails, in milliseconds. */
function longestAcquireMs(settings: PoolSettings, iam: AdapterIam): number {
  const { acquireTimeoutMs, isAcquireTimeoutStrict, connectTimeoutMs } = settings
  if (isAcquireTimeoutStrict) return acquireTimeoutMs
  return 2 * acquireTimeoutMs + iam.longestWaitMs + connectTimeoutMs
}

function connectorFor(
  options: AuroraIamPrismaOptions,
  { connectTimeoutMs: timeoutMs, acquireTimeoutMs, isAcquireTimeoutStrict }: PoolSettings,
  iam: AdapterIam,
  observer: Activity,
): Pick<PoolContext, 'open' | 'lifetimeOf'> {
  const { host, port, user, password, database, ssl, sessionVariables, connectAttributes } = options
  const config: CommonConfig = { user, database, sessionVariables, connectAttributes }
  if (!iam.enabled) {
    const address = { host: host ?? 'localhost', port: port ?? 3306 }
    const plain = { ...config, password, ssl: plainSsl(options) }
    const open = openWithPassword({ address, config: plain, timeoutMs, observer })
    return { open, lifetimeOf: () => undefined }
  }
  const target = iam.resolve({ host, port, user })
  const callerLimit = isAcquireTimeoutStrict
    ? { option: 'acquireTimeoutMs', timeoutMs: acquireTimeoutMs }
    : undefined
  return {
    open: openWithIam({ iam, target, ssl, config, timeoutMs, callerLimit, observer }),
    lifetimeOf: (driver) => iam.poolLifetime(target, driver),
  }
}
