import { MovableClock } from './clock.ts'
import { openBackend } from './database/backend.ts'
import { LocalAuroraError } from './errors.ts'
import { Principals } from './iam/principals.ts'
import { Throttle } from './iam/throttle.ts'
import { type Login, verifyToken } from './iam/verify-token.ts'
import { LocalAurora } from './local-aurora.ts'
import { LoginLog } from './log/login-log.ts'
import { type LocalAuroraOptions, resolveOptions } from './options.ts'
import { startListener } from './server/listener.ts'
import { prepareCertificates } from './tls/accept-tls.ts'
import { createCertificates } from './tls/certificates.ts'

/** Identity of the one database of a Local Aurora in policies. */
const DATABASE_IDENTITY = { accountId: '123456789012', resourceId: 'cluster-LOCALAURORA' }

/** Names by which a client on this machine may sign too, for those that cannot tell signed from dialled. */
const LOOPBACK_NAMES = ['localhost', '127.0.0.1']

/**
 * Starts an Aurora MySQL to develop and test against: it demands TLS and a real IAM token, and behind it is a real database.
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
  const resolved = resolveOptions(options)
  const { hostnames, region, users, database, signal } = resolved
  const clock = new MovableClock(resolved.clock)
  const principals = new Principals(resolved.principals)
  const throttle = new Throttle(resolved.throttle)
  const log = new LoginLog(() => clock.now())
  const names = [...hostnames, ...LOOPBACK_NAMES]
  const certificates = await createCertificates(names)
  const backend = await openBackend({
    ...(resolved.backend !== undefined && { url: resolved.backend }),
    ...(signal !== undefined && { signal }),
    database,
    users,
    certificate: certificates.valid,
  })
  const identity = { hostnames: names, region, partition: partitionOf(region), ...DATABASE_IDENTITY }
  try {
    const listener = await startListener(resolved, (port) => ({
      log,
      throttle,
      backend,
      certificates: prepareCertificates(certificates),
      connectTimeoutMs: resolved.connectTimeoutMs,
      verify: (token, username) => {
        const login: Login = { ...identity, username, port: resolved.signedPort ?? port }
        return verifyToken(token, login, principals, clock.now(), resolved.tokenLifetimeMs)
      },
    }))
    return new LocalAurora({
      options: resolved,
      backend,
      listener,
      log,
      throttle,
      clock,
      principals,
      ca: certificates.ca,
    })
  } catch (cause) {
    await backend.close()
    const message = `port: cannot listen on ${resolved.host}:${resolved.port}; leave it out for one that is free`
    throw new LocalAuroraError('ERR_LOCAL_AURORA_INVALID_OPTION', message, { option: 'port', cause })
  }
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html */
function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn'
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'
}
