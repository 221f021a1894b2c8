import { Socket } from 'node:net'
import { checkServerIdentity, createSecureContext, type SecureContextOptions } from 'node:tls'
import type { Address } from '@aurora-iam/core'
import {
  type AdapterIam,
  type CallerLimit,
  type ConnectionTarget,
  KEEP_ALIVE_MS,
  limitLoginTime,
  type TlsPolicy,
  type WriterCheck,
} from '@aurora-iam/core/adapter'
import type { Connection, ConnectionConfig } from 'mariadb'
import { connectError } from '../errors.ts'
import { GuardedStream } from './guarded-stream.ts'
import { logIn } from './log-in.ts'

/** Connection that is logged in. */
export interface OpenConnection {
  readonly connection: Connection
  /**
   * Ends the connection at once, during a query as well. mariadb's own `destroy()` would open another connection to
   * kill a running query.
   */
  readonly destroy: () => void
  /** Returns the IP address of the server; undefined when the socket is closed. */
  readonly remoteAddress: () => string | undefined
  /** Returns the error by which the network ended the connection; undefined before that, and for another end. */
  readonly networkError: () => Error | undefined
}

/**
 * Function that opens one new connection. `signal` aborts it at every step.
 *
 * @throws an error that Prisma's users know: a `PrismaDriverError` or an `AuroraIamError`
 */
export type Open = (signal: AbortSignal) => Promise<OpenConnection>

/** Options that every connection has in common, by mariadb's names. */
export type CommonConfig = Pick<
  ConnectionConfig,
  'user' | 'database' | 'sessionVariables' | 'connectAttributes'
>

/** Counters of new connections and their outcomes. */
export interface ConnectionObserver {
  countWaiting<T>(login: Promise<T>): Promise<T>
  countOpened(): void
  countFailed(error: Error): void
}

/**
 * Returns the function that opens connections with IAM: a permit, then a token, then the socket. Since 3.5.3 mariadb
 * verifies certificate chain and host name before it sends the password, for every greeting of the server.
 *
 * A login that was rejected with a token of an earlier login is retried once, as {@link AdapterIam.retryRejected} does.
 */
export function openWithIam(options: {
  iam: AdapterIam
  target: ConnectionTarget
  ssl: unknown
  config: CommonConfig
  timeoutMs: number
  callerLimit: CallerLimit | undefined
  observer: ConnectionObserver
}): Open {
  const { iam, target, config, timeoutMs, callerLimit, observer } = options
  const ssl = sslOptions(iam.tls(target, options.ssl), target.hostname)
  const writerCheck = iam.writerCheck(target)
  const { tcpTimeoutMs } = iam

  return async (signal) => {
    let dialled: Address = { host: target.hostname, port: target.port }
    const open = async (): Promise<OpenConnection> => {
      const login = await observer.countWaiting(iam.login(target, { signal, callerLimit }))
      try {
        login.trackConnect()
        const { value: password } = await login.tokenBeforeConnect()
        dialled = login.dial()
        const secured = { ...config, ...dialled, password, ssl: copyOf(ssl) }
        const stream = new GuardedStream(dialled, () => login.confirmPermit())
        const destroy = (error?: Error) => stream.breakOff(error)
        const afterwards = async (connection: Connection) => {
          if (stream.isBroken) throw brokenOff()
          stream.hasErrorListener = true
          if (writerCheck) {
            await requireWriter(connection, writerCheck).catch((error) => {
              login.discard(error)
              throw error
            })
          }
          login.succeed()
        }
        const connection = await logIn(stream, secured, {
          signal,
          timeoutMs,
          tcpTimeoutMs,
          destroy,
          limitTime: (timeoutError, abort) => limitLoginTime(login, { timeoutMs, timeoutError }, abort),
          afterwards,
        })
        observer.countOpened()
        return {
          connection,
          destroy,
          remoteAddress: () => stream.remoteAddress,
          networkError: () => stream.networkError,
        }
      } catch (error) {
        login.fail(error as Error)
        observer.countFailed(error as Error)
        throw error
      }
    }
    try {
      return await iam.retryRejected(open)
    } catch (error) {
      throw connectError(error as Error, { ...dialled, user: target.username })
    }
  }
}

/** Returns TLS options of Node for mariadb's `ssl`. The secure context is created once: it parses the certificates. */
function sslOptions({ ca, minVersion, rejectUnauthorized, rest }: TlsPolicy, servername: string) {
  return {
    secureContext: createSecureContext({ ...rest, ca, minVersion } as SecureContextOptions),
    // Node ignores it beside a secure context. Without it mariadb would verify a MariaDB by a fingerprint instead.
    ca,
    rejectUnauthorized,
    servername,
    checkServerIdentity,
  }
}

async function requireWriter(connection: Connection, check: WriterCheck): Promise<void> {
  // Without a result set it is an object, which has no rows.
  const rows = await connection.query<unknown[][]>({ sql: check.sql, rowsAsArray: true })
  const refusal = check.refusal(rows[0]?.[0])
  if (refusal) throw refusal
}

/** Returns the function that opens connections with a password, for `enabled: false`. */
export function openWithPassword(options: {
  address: Address
  config: CommonConfig & Pick<ConnectionConfig, 'password' | 'ssl'>
  timeoutMs: number
  observer: ConnectionObserver
}): Open {
  const { address, config, timeoutMs, observer } = options
  const { ssl, user } = config
  return async (signal) => {
    try {
      const own = typeof ssl === 'object' ? { ssl: copyOf(ssl) } : {}
      const stream = new Socket().setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS).connect(address)
      const destroy = (error?: Error) => {
        // mariadb does not listen for `close` of the stream, but for `end`.
        stream.emit('end', error)
        stream.destroy()
      }
      const connection = await logIn(
        stream,
        { ...config, ...own, ...address },
        { signal, timeoutMs, destroy },
      )
      observer.countOpened()
      return {
        connection,
        destroy: () => destroy(),
        remoteAddress: () => stream.remoteAddress,
        networkError: () => stream.errored ?? undefined,
      }
    } catch (error) {
      observer.countFailed(error as Error)
      throw connectError(error as Error, { ...address, user })
    }
  }
}

/** Returns an error in the shape of Node's network errors. */
function brokenOff(): Error {
  const error = new Error('The connection was lost before it was ready.')
  return Object.assign(error, { code: 'ECONNRESET', syscall: 'read' })
}

/** Copies `ssl`: mariadb writes to the one that it is given. */
function copyOf<T extends object>(ssl: T): Exclude<ConnectionConfig['ssl'], boolean | undefined> {
  return { ...ssl } as Exclude<ConnectionConfig['ssl'], boolean | undefined>
}
