import {
  AuroraIamError,
  assertNoIamOptions,
  describe,
  describeName,
  LONGEST_TIMER_MS,
} from '@aurora-iam/core/adapter'
import type { ConnectionConfig } from 'mariadb'

/** Address of the database, and settings of the pool: the first argument of `auroraIam`. */
export interface AuroraIamPrismaOptions {
  /**
   * `mysql://user@host:port/database`, instead of the next four options. A value that is given as an option wins. A
   * password in it is refused, unless `enabled: false` switches IAM off.
   */
  readonly url?: string | undefined
  /** Endpoint of the database. */
  readonly host?: string | undefined
  /** Port of the database. @defaultValue 3306 */
  readonly port?: number | undefined
  /** Database user that is enabled for IAM. */
  readonly user?: string | undefined
  /** Database of the schema. Prisma's queries name it with every table. */
  readonly database?: string | undefined
  /** Most connections of one PrismaClient. @defaultValue 10 */
  readonly connectionLimit?: number | undefined
  /**
   * Longest wait of a query or transaction for a connection, in milliseconds, before it fails with P2024. A value that
   * is given includes the wait for a permit and the login.
   *
   * @defaultValue 10000. It is extended while the connection is being opened or waits for a permit, which `maxWaitMs`
   * and `connectTimeoutMs` limit
   */
  readonly acquireTimeoutMs?: number | undefined
  /**
   * Longest time from the opening of the socket to the end of the login, in milliseconds.
   *
   * @defaultValue 8000, or four fifths of a smaller `acquireTimeoutMs`
   */
  readonly connectTimeoutMs?: number | undefined
  /** Longest time that a connection is idle before it is closed, in milliseconds. @defaultValue 600000 */
  readonly idleTimeoutMs?: number | undefined
  /**
   * `ca`, `cert`, `key`, `minVersion` and other TLS options that weaken nothing.
   *
   * @defaultValue the certificate authorities of the Region
   */
  readonly ssl?: ConnectionConfig['ssl'] | undefined
  /** Session variables that each new connection sets. RDS Proxy pins such a connection. */
  readonly sessionVariables?: Readonly<Record<string, string | number>> | undefined
  /** Attributes of the connection in `performance_schema.session_connect_attrs`. */
  readonly connectAttributes?: Readonly<Record<string, string>> | undefined
  /** Uses the text protocol for queries, instead of prepared statements. @defaultValue false */
  readonly useTextProtocol?: boolean | undefined
  /** Password, with `enabled: false` only. */
  readonly password?: string | undefined
}

/** Settings of the pool, with every default filled in. */
export interface PoolSettings {
  readonly connectionLimit: number
  readonly acquireTimeoutMs: number
  /** True if the caller gave `acquireTimeoutMs`. It then holds while a connection is being opened, too. */
  readonly isAcquireTimeoutStrict: boolean
  readonly connectTimeoutMs: number
  readonly idleTimeoutMs: number
}

const KNOWN: ReadonlySet<string> = new Set<keyof AuroraIamPrismaOptions>([
  'url',
  'host',
  'port',
  'user',
  'database',
  'connectionLimit',
  'acquireTimeoutMs',
  'connectTimeoutMs',
  'idleTimeoutMs',
  'ssl',
  'sessionVariables',
  'connectAttributes',
  'useTextProtocol',
  'password',
])

// Names of the same options in mariadb, the AWS SDK and other adapters.
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ['acquireTimeout', 'acquireTimeoutMs'],
  ['connectTimeout', 'connectTimeoutMs'],
  ['idleTimeout', 'idleTimeoutMs'],
  ['username', 'user'],
  ['connectionString', 'url'],
])

/**
 * Checks the names of all options and the values of those of the pool, and fills in the defaults.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_UNKNOWN_OPTION` or `ERR_AURORA_IAM_INVALID_OPTION`
 */
export function readPoolSettings(options: AuroraIamPrismaOptions): PoolSettings {
  assertNoIamOptions(options)
  for (const name of Object.keys(options)) if (!KNOWN.has(name)) throw unknownOption(name)
  expect(options, 'database', isText, 'the name of a database')
  expect(options, 'useTextProtocol', (value) => typeof value === 'boolean', 'true or false')
  expect(options, 'sessionVariables', isRecord, 'an object of session variables')
  expect(options, 'connectAttributes', isRecord, 'an object of attributes')
  expect(options, 'connectionLimit', isCount, 'a whole number from 1 up')
  for (const name of ['acquireTimeoutMs', 'connectTimeoutMs', 'idleTimeoutMs'] as const)
    expect(options, name, isDuration, 'milliseconds: a whole number from 1 to 2147483647')
  const acquireTimeoutMs = options.acquireTimeoutMs ?? 10_000
  return {
    connectionLimit: options.connectionLimit ?? 10,
    acquireTimeoutMs,
    isAcquireTimeoutStrict: options.acquireTimeoutMs !== undefined,
    // Smaller, so that an unresponsive host is P1001 and not P2024.
    connectTimeoutMs: options.connectTimeoutMs ?? Math.ceil(0.8 * Math.min(acquireTimeoutMs, 10_000)),
    idleTimeoutMs: options.idleTimeoutMs ?? 600_000,
  }
}

/**
 * Throws for a password beside IAM, and for the plain password path without one.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_PASSWORD_GIVEN` or `ERR_AURORA_IAM_CONFLICTING_OPTIONS`
 */
export function assertPassword({ password }: AuroraIamPrismaOptions, isIam: boolean, isInUrl: boolean): void {
  if (isIam && password !== undefined) {
    const option = isInUrl ? 'url' : 'password'
    throw new AuroraIamError(
      'ERR_AURORA_IAM_PASSWORD_GIVEN',
      `${isInUrl ? 'url: it contains a password; ' : 'password: '}the IAM token takes its place. Leave it out, or give \`enabled: false\` for the plain password path.`,
      { option },
    )
  }
  if (!isIam && password === undefined) {
    throw new AuroraIamError(
      'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
      "password: missing, and IAM is switched off by `enabled: false`. Give the password ('' for a user that has none), or switch IAM on.",
      { option: 'password' },
    )
  }
}

/**
 * Returns the `ssl` of the plain password path, for mariadb. Null switches TLS off, as it does in the other adapters.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION`: mariadb would take any text for true, 'false' as well
 */
export function plainSsl({ ssl }: AuroraIamPrismaOptions): ConnectionConfig['ssl'] {
  if (ssl === null) return undefined
  expect({ ssl }, 'ssl', (value) => typeof value === 'boolean' || isRecord(value), 'true, false or an object')
  return ssl
}

function unknownOption(name: string): AuroraIamError {
  const ours = OTHER_NAMES.get(name)
  const remedy = ours ? `Use \`${ours}\`.` : `Known: ${[...KNOWN].sort().join(', ')}.`
  return new AuroraIamError(
    'ERR_AURORA_IAM_UNKNOWN_OPTION',
    `${describeName(name)}: not an option of auroraIam. ${remedy}`,
    {
      option: describeName(name),
    },
  )
}

function expect<Name extends keyof AuroraIamPrismaOptions>(
  options: AuroraIamPrismaOptions,
  name: Name,
  isValid: (value: unknown) => boolean,
  expected: string,
): void {
  const value = options[name]
  if (value === undefined || isValid(value)) return
  throw new AuroraIamError(
    'ERR_AURORA_IAM_INVALID_OPTION',
    `${name}: expected ${expected}, got ${describe(value, { showNumber: /Ms|Limit/.test(name) })}.`,
    {
      option: name,
    },
  )
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 1
}

function isDuration(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= LONGEST_TIMER_MS
}
