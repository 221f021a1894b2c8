import { AuroraIamError } from '@aurora-iam/core'
import { assertNoIamOptions, describe, describeName, LONGEST_TIMER_MS } from '@aurora-iam/core/adapter'
import type { ConnectionConfig } from 'mariadb'

/** Where the database is, and how the pool in front of it behaves. The first argument of `auroraIam`. */
export interface AuroraIamPrismaOptions {
  /**
   * `mysql://user@host:port/database`, instead of the four options after it; what is given as an option wins. A
   * password in it is refused, unless IAM is switched off by `enabled: false`.
   */
  readonly url?: string | undefined
  /** The endpoint of the database. */
  readonly host?: string | undefined
  /** The port of the database. @defaultValue 3306 */
  readonly port?: number | undefined
  /** A database user that is enabled for IAM. */
  readonly user?: string | undefined
  /** The database of the schema. Prisma's queries name it with every table. */
  readonly database?: string | undefined
  /** How many connections one PrismaClient may have. @defaultValue 10 */
  readonly connectionLimit?: number | undefined
  /**
   * How long a query or transaction may wait for a connection, in milliseconds, until it fails with P2024. The wait
   * for a place under the connection rate and the login are part of it. @defaultValue 10000
   */
  readonly acquireTimeoutMs?: number | undefined
  /** From the opening of the socket to the end of the login, in milliseconds. @defaultValue 10000 */
  readonly connectTimeoutMs?: number | undefined
  /** How long a connection may lie unused before it is closed, in milliseconds. @defaultValue 600000 */
  readonly idleTimeoutMs?: number | undefined
  /** `ca`, `cert`, `key` and what else makes TLS no weaker. @defaultValue the certificate authorities of the Region */
  readonly ssl?: ConnectionConfig['ssl'] | undefined
  /** Session variables that each new connection sets. */
  readonly sessionVariables?: Readonly<Record<string, string | number>> | undefined
  /** What the connection tells the server about itself, to be seen in `performance_schema`. */
  readonly connectAttributes?: Readonly<Record<string, string>> | undefined
  /** The text protocol for queries, instead of prepared statements. @defaultValue false */
  readonly useTextProtocol?: boolean | undefined
  /** Only with `enabled: false`: the password of the plain password path. */
  readonly password?: string | undefined
}

/** Behaviour of the pool, with every default filled in. */
export interface PoolSettings {
  readonly connectionLimit: number
  readonly acquireTimeoutMs: number
  /** Whether `acquireTimeoutMs` holds while a connection is being opened, too: the caller chose it. */
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

// What mariadb, the AWS SDK and other adapters call the same.
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ['acquireTimeout', 'acquireTimeoutMs'],
  ['connectTimeout', 'connectTimeoutMs'],
  ['idleTimeout', 'idleTimeoutMs'],
  ['username', 'user'],
  ['connectionString', 'url'],
])

/**
 * Checks everything about `options` that can be known alone, and fills in the defaults.
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
 * Refuses a password beside IAM, and the plain password path without one.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_PASSWORD_GIVEN` or `ERR_AURORA_IAM_CONFLICTING_OPTIONS`
 */
export function assertPassword({ password }: AuroraIamPrismaOptions, isIam: boolean, isInUrl: boolean): void {
  if (isIam && password !== undefined) {
    const option = isInUrl ? 'url' : 'password'
    throw new AuroraIamError(
      'ERR_AURORA_IAM_PASSWORD_GIVEN',
      `${isInUrl ? 'url: it holds a password; ' : 'password: '}the IAM token takes its place. Leave it out, or give \`enabled: false\` for the plain password path.`,
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
    `${name}: expected ${expected}, got ${describe(value, { showNumber: /(Ms|Limit)$/.test(name) })}.`,
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
