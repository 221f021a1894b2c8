import { MovableClock } from './clock.ts'
import { type Backend, backendOf, openBackend } from './database/backend.ts'
import { MariaDbPair } from './database/mariadb-pair.ts'
import { LocalAuroraError } from './errors.ts'
import { Faults } from './faults/faults.ts'
import { Principals } from './iam/principals.ts'
import { Throttle } from './iam/throttle.ts'
import { type Login, verifyToken } from './iam/verify-token.ts'
import { keepAliveDuring } from './keep-alive.ts'
import { LocalAurora } from './local-aurora.ts'
import { LoginLog } from './log/login-log.ts'
import { type LocalAuroraOptions, type ResolvedOptions, resolveOptions } from './options.ts'
import { type Instance, startInstance } from './server/instance.ts'
import { type Certificates, createCertificateIssuer } from './tls/certificates.ts'

/** Identity of the one database of a Local Aurora in policies. */
const DATABASE_IDENTITY = { accountId: '123456789012', resourceId: 'cluster-LOCALAURORA' }

/** Names that clients may sign as well: some cannot sign another name than the one that they dial. */
const LOOPBACK_NAMES = ['localhost', '127.0.0.1']

/**
 * Starts an Aurora MySQL to develop and test against. It requires TLS and a real IAM token, and uses a real database.
 *
 * ```ts
 * await using aurora = await startLocalAurora()
 * const pool = createPool(withAuroraIam({ host: aurora.host, port: aurora.port, user: 'app' }, aurora.iam))
 * ```
 *
 * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_INVALID_OPTION`; `ERR_LOCAL_AURORA_NO_DATABASE` when there is
 * neither a MariaDB on this machine nor a `backend`; `ERR_LOCAL_AURORA_DATABASE_FAILED`; `ERR_LOCAL_AURORA_ABORTED`
 */
export async function startLocalAurora(options: LocalAuroraOptions = {}): Promise<LocalAurora> {
  return await keepAliveDuring(start(resolveOptions(options)))
}

async function start(resolved: ResolvedOptions): Promise<LocalAurora> {
  const { region, host, readerHost } = resolved
  const clock = new MovableClock(resolved.clock)
  const principals = new Principals(resolved.principals)
  const throttle = new Throttle(resolved.throttle)
  const log = new LoginLog(() => clock.now())
  const faults = new Faults()
  const issuer = await createCertificateIssuer()
  const { pair, backends } = await openDatabases(resolved, await issuer.issue(LOOPBACK_NAMES))
  const identity = { region, partition: partitionOf(region), ...DATABASE_IDENTITY }
  const instances: Instance[] = []
  try {
    for (const [index, backend] of backends.entries()) {
      const instance = await startInstance({
        host: index === 0 ? host : (readerHost ?? host),
        port: instances[0]?.listener.port ?? resolved.port,
        hostnames: [...resolved.hostnames, ...LOOPBACK_NAMES],
        backend,
        issuer,
        faults,
        log,
        throttle,
        connectTimeoutMs: resolved.connectTimeoutMs,
        verify: (token, username, { hostnames, port }) => {
          const login: Login = { ...identity, hostnames, username, port: resolved.signedPort ?? port }
          return verifyToken(token, login, principals, clock.now(), resolved.tokenLifetimeMs)
        },
      })
      instances.push(instance)
    }
    return new LocalAurora({
      options: resolved,
      instances: instances as [Instance, ...Instance[]],
      pair,
      faults,
      log,
      throttle,
      clock,
      principals,
      ca: issuer.ca,
    })
  } catch (cause) {
    await Promise.all([
      ...instances.map(({ listener }) => listener.close()),
      ...backends.map((backend) => backend.close()),
    ])
    throw cannotListen(resolved, instances.length, cause)
  }
}

async function openDatabases(
  { database, users, signal, backend, readerHost }: ResolvedOptions,
  { valid: certificate }: Certificates,
): Promise<{ backends: Backend[]; pair: MariaDbPair | undefined }> {
  const common = { database, users, certificate, ...(signal !== undefined && { signal }) }
  if (readerHost === undefined) {
    const url = backend === undefined ? {} : { url: backend }
    return { backends: [await openBackend({ ...common, ...url })], pair: undefined }
  }
  const pair = await MariaDbPair.start(common)
  return { pair, backends: pair.servers.map((server) => backendOf(server, database, true)) }
}

function cannotListen({ host, readerHost, port }: ResolvedOptions, started: number, cause: unknown) {
  const [option, message] =
    started === 0
      ? ['port', `port: cannot listen on ${host}:${port}; leave it out for one that is free`]
      : [
          'readerHost',
          `readerHost: cannot listen on ${readerHost}, on the port of the writer; ` +
            'give another address of 127.0.0.0/8 (macOS needs an alias: ifconfig lo0 alias 127.0.0.2)',
        ]
  return new LocalAuroraError('ERR_LOCAL_AURORA_INVALID_OPTION', message, { option, cause })
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html */
function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn'
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'
}
