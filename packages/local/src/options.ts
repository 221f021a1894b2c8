import { isIPv4 } from 'node:net'
import type { Clock } from './clock.ts'
import { checkDatabaseName, checkUserNames } from './database/names.ts'
import { LocalAuroraError } from './errors.ts'
import type { PolicyDocument } from './iam/policy.ts'
import { type CredentialIdentity, createPrincipal, type Principal } from './iam/principals.ts'
import type { ThrottleSetting } from './iam/throttle.ts'

/** Options of {@link startLocalAurora}. All of them are optional. */
export interface LocalAuroraOptions {
  /**
   * The endpoint name that tokens are signed for and certificates are issued for.
   * @defaultValue `'local.cluster-c0local0aur0.us-east-1.rds.amazonaws.com'`
   */
  readonly hostname?: string
  /** Further endpoint names, such as a reader endpoint. @defaultValue none */
  readonly hostnames?: readonly string[]
  /** The Region that tokens are signed for. @defaultValue the one in `hostname`, else `'us-east-1'` */
  readonly region?: string
  /** The address to listen on, a loopback one. @defaultValue `'127.0.0.1'` */
  readonly host?: string
  /**
   * A second loopback address, such as `'127.0.0.2'`, where a reader listens on the same port. It has a separate
   * MariaDB, which follows the writer's by replication, and makes {@link LocalAurora.failover} and
   * {@link LocalAurora.switchover} possible. @defaultValue none
   */
  readonly readerHost?: string
  /** The port to listen on. @defaultValue 0, any that is free */
  readonly port?: number
  /** The port that tokens are signed for, where a tunnel has another one. @defaultValue the port to dial */
  readonly signedPort?: number
  /** The database users that are enabled for IAM. @defaultValue `['app']` */
  readonly users?: readonly string[]
  /** The database that exists from the start. @defaultValue `'app'` */
  readonly database?: string
  /**
   * A `mysql://` URL of a MySQL or MariaDB that runs already.
   * @defaultValue the environment variable `AURORA_IAM_BACKEND`, else a private MariaDB in a temporary folder
   */
  readonly backend?: string
  /** The credentials that tokens are signed with. @defaultValue temporary ones, different at each start */
  readonly credentials?: CredentialIdentity
  /** Permissions of {@link LocalAuroraOptions.credentials}. @defaultValue `rds-db:connect` on every resource */
  readonly policy?: PolicyDocument
  /**
   * Identities whose tokens can be valid, each with a policy. Replaces `credentials` and `policy`. @defaultValue one
   */
  readonly principals?: readonly Principal[]
  /** Longest lifetime of a token, in milliseconds. @defaultValue 900000 */
  readonly tokenLifetimeMs?: number
  /** Limit of logins: a number per second, a rate, or `false` for no limit. @defaultValue 20 */
  readonly throttle?: ThrottleSetting
  /** Longest wait for a packet of a client that is not logged in, in milliseconds. @defaultValue 10000 */
  readonly connectTimeoutMs?: number
  /** The time by which tokens and credentials are judged. @defaultValue `Date.now` */
  readonly clock?: Clock
  /** Aborts the start. @defaultValue none */
  readonly signal?: AbortSignal
}

/** Checked options, with every default filled in. */
export interface ResolvedOptions {
  readonly hostname: string
  /** All endpoint names in lower case, {@link ResolvedOptions.hostname} first. */
  readonly hostnames: readonly string[]
  readonly region: string
  readonly host: string
  readonly readerHost: string | undefined
  readonly port: number
  readonly signedPort: number | undefined
  readonly users: readonly string[]
  readonly database: string
  readonly backend: string | undefined
  readonly principals: readonly [Principal, ...Principal[]]
  readonly tokenLifetimeMs: number
  readonly throttle: ThrottleSetting
  readonly connectTimeoutMs: number
  readonly clock: Clock
  readonly signal: AbortSignal | undefined
}

const KNOWN: Readonly<Record<keyof LocalAuroraOptions, true>> = {
  hostname: true,
  hostnames: true,
  region: true,
  host: true,
  readerHost: true,
  port: true,
  signedPort: true,
  users: true,
  database: true,
  backend: true,
  credentials: true,
  policy: true,
  principals: true,
  tokenLifetimeMs: true,
  throttle: true,
  connectTimeoutMs: true,
  clock: true,
  signal: true,
}

const DEFAULT_HOSTNAME = 'local.cluster-c0local0aur0.us-east-1.rds.amazonaws.com'
const DEFAULT_REGION = 'us-east-1'

/**
 * Checks options and fills in the defaults.
 *
 * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_INVALID_OPTION`
 */
export function resolveOptions(given: LocalAuroraOptions): ResolvedOptions {
  // A property that another package left on `Object.prototype` is no option.
  const options: LocalAuroraOptions = Object.assign(Object.create(null), given)
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(KNOWN, name))
  if (unknown !== undefined)
    throw invalid(unknown, `is no option; there are ${Object.keys(KNOWN).join(', ')}`)
  const { hostname = DEFAULT_HOSTNAME, hostnames = [], users = ['app'], host = '127.0.0.1' } = options
  const names = [hostname, ...hostnames].map((name) => endpointName(name))
  if (!isLoopback(host))
    throw invalid('host', 'is reachable from elsewhere; Local Aurora listens on 127.0.0.1 or ::1')
  const { database = 'app', readerHost } = options
  const backend = options.backend ?? process.env.AURORA_IAM_BACKEND
  if (readerHost !== undefined) checkReaderHost(readerHost, host, options.backend)
  checkUserNames(users)
  checkDatabaseName(database)
  return {
    hostname: names[0] as string,
    hostnames: [...new Set(names)],
    region: options.region ?? regionOf(names[0] as string) ?? DEFAULT_REGION,
    host,
    readerHost,
    port: portNumber('port', options.port ?? 0, 0),
    signedPort:
      options.signedPort === undefined ? undefined : portNumber('signedPort', options.signedPort, 1),
    users,
    database,
    backend,
    principals: principalsOf(options),
    tokenLifetimeMs: positive('tokenLifetimeMs', options.tokenLifetimeMs ?? 900_000),
    throttle: options.throttle ?? 20,
    connectTimeoutMs: positive('connectTimeoutMs', options.connectTimeoutMs ?? 10_000),
    clock: options.clock ?? Date.now,
    signal: options.signal,
  }
}

function principalsOf({ credentials, policy, principals }: LocalAuroraOptions): [Principal, ...Principal[]] {
  if (principals === undefined) return [{ ...(credentials ?? createPrincipal()), ...(policy && { policy }) }]
  if (credentials !== undefined || policy !== undefined) {
    throw invalid('principals', 'leave out `credentials` and `policy`: each principal has its own')
  }
  const [first, ...others] = principals
  if (first === undefined) throw invalid('principals', 'expected at least one')
  return [first, ...others]
}

function endpointName(name: string): string {
  if (/^[a-z0-9-]+(\.[a-z0-9-]+)*$/i.test(name)) return name.toLowerCase()
  throw invalid(
    'hostname',
    `${JSON.stringify(name)} is no host name; leave out port, scheme and trailing dot`,
  )
}

/** Returns the Region in the name of an endpoint: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.Overview.Endpoints.html */
function regionOf(hostname: string): string | undefined {
  return hostname
    .split('.')
    .slice(1)
    .findLast((label) => /^[a-z]{2,}(-[a-z]+)+-\d+$/.test(label))
}

function checkReaderHost(readerHost: string, host: string, backend: string | undefined): void {
  if (!isLoopback(readerHost) || readerHost === host || readerHost === 'localhost') {
    throw invalid('readerHost', 'expected a loopback address that is not that of `host`, such as 127.0.0.2')
  }
  if (backend !== undefined) {
    throw invalid('readerHost', 'a reader needs private databases; leave out `backend` or `readerHost`')
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}

function portNumber(option: string, value: number, least: number): number {
  if (Number.isInteger(value) && value >= least && value <= 65_535) return value
  throw invalid(option, `expected a port number from ${least} to 65535`)
}

function positive(option: string, value: number): number {
  if (value > 0 && value < 2 ** 31) return value
  throw invalid(option, `expected milliseconds above 0, and at most ${2 ** 31 - 1}`)
}

function invalid(option: string, problem: string): LocalAuroraError {
  return new LocalAuroraError('ERR_LOCAL_AURORA_INVALID_OPTION', `${option}: ${problem}`, { option })
}
