import {
  type AdapterIam,
  AuroraIamError,
  type CallerLimit,
  type ConnectionTarget,
  deadPeers,
  KEEP_ALIVE_MS,
  type LoginAttempt,
  type LoginOptions,
  limitLoginTime,
  startTimeLimit,
} from '@aurora-iam/core/adapter'
import type { ConnectionSettings } from '../driver-types.ts'
import {
  constructed,
  errorListeners,
  reportError,
  type TracedConnection,
  traceConnection,
} from '../mysql2-internals.ts'
import type { LifetimeOption } from '../options/unsupported-option.ts'
import { DeferredSocket } from './deferred-socket.ts'
import type { PendingLogins } from './pending-logins.ts'
import { tcpTimeoutError, timeoutError } from './timeout-error.ts'

/** Context of one call of {@link openWhenPermitted}. */
export interface SocketContext {
  readonly iam: AdapterIam
  readonly logins: PendingLogins
  readonly resolve: (settings: ConnectionSettings) => ConnectionTarget
  /** Returns an object that stands for the pool of the connections to `target`. */
  readonly groupOf: (target: ConnectionTarget) => object
  /**
   * From the opening of the socket to the end of the login, the check of `requireWriter` included, in milliseconds; 0
   * for no limit.
   */
  readonly connectTimeout: number
  readonly callerLimit?: CallerLimit | undefined
  /** An option that has no effect on this connection. */
  readonly unmanaged?: LifetimeOption | undefined
}

/** One new connection, before the server asks for its token. */
interface OpeningConnection extends TracedConnection {
  readonly socket: DeferredSocket
  /** Undefined while it waits for its permit. */
  login: LoginAttempt | undefined
  /** The listeners for errors of its socket, before TLS adds another; undefined while it waits for its permit. */
  listeners: ReturnType<typeof errorListeners> | undefined
  readonly stopFailing: () => void
}

/**
 * Returns the socket of one new connection, for mysql2's `stream` option. It is unconnected, and connected when there
 * is a token and a permit. A failure destroys it with the error, which reaches the caller of mysql2 unchanged. When
 * mysql2 times out first, the permit goes to the next in the queue.
 */
export function openWhenPermitted(settings: ConnectionSettings, context: SocketContext): DeferredSocket {
  const socket = new DeferredSocket()
  const opening: OpeningConnection = {
    socket,
    login: undefined,
    listeners: undefined,
    // mysql2 removes the connection from its pool: there, `pool.end()` right after would reject with its error.
    stopFailing: context.iam.onClose((error) => {
      if (!opening.login?.isTokenSent) failNow(opening, error)
    }),
    onDriverError: (error) => {
      opening.login?.fail(error)
      // mysql2 leaves it to the server to close the connection: one that does not would keep the socket.
      setImmediate(() => socket.destroy())
    },
  }
  // `on` takes less than `once`, and a socket closes once.
  socket.on('close', () => onClosed(opening))
  traceConnection(opening)
  // mysql2 does both for the sockets that it makes itself, and neither for one that it is given.
  socket.setNoDelay(true)
  if (settings.enableKeepAlive) socket.setKeepAlive(true, settings.keepAliveInitialDelay || KEEP_ALIVE_MS)
  open(opening, settings, context).catch((error: Error) => socket.destroy(error))
  return socket
}

async function open(
  opening: OpeningConnection,
  settings: ConnectionSettings,
  { iam, logins, resolve, groupOf, connectTimeout, callerLimit, unmanaged }: SocketContext,
): Promise<void> {
  // mysql2 listens for errors once it has the socket (assumption 4).
  await null
  constructed()
  const { socket } = opening
  // Nothing would end a wait: its close was emitted before anything could listen, or is about to be.
  if (!isOpen(socket)) return
  const target = resolve(settings)
  const refusal = tlsRefusal(settings) ?? lifetimeRefusal(unmanaged)
  if (refusal) {
    iam.reportRefusal(target, refusal)
    throw refusal
  }
  const group = groupOf(target)
  const login =
    iam.tryLogin(target, group) ?? (await waitForLogin(opening, iam, { target, group, callerLimit }))
  if (!isOpen(socket)) {
    login.cancel()
    return
  }
  opening.login = login
  login.onEnd(opening.stopFailing)
  socket.follow(login)
  // It stays: mysql2 ends a stream that has failed, and an error of that would be thrown at the process.
  socket.on('error', (error) => login.fail(error))
  // Those of mysql2 and of the login, and not that of TLS, which comes later.
  opening.listeners = errorListeners(socket)
  const stopTcpLimit = limitTime(opening, login, { tcpTimeoutMs: iam.tcpTimeoutMs, connectTimeout })
  socket.once('connect', () => {
    stopTcpLimit()
    logins.add(settings, socket, login)
    deadPeers.watch(socket)
  })
  socket.connect(login.dial())
  login.trackConnect()
}

/** Returns true if the connection is still wanted. mysql2's `destroy()` ends the stream, which is destroyed later. */
function isOpen({ destroyed, writableEnded }: DeferredSocket): boolean {
  return !destroyed && !writableEnded
}

/** Waits for a token and a permit, as long as the connection is wanted. */
async function waitForLogin(
  { socket }: OpeningConnection,
  iam: AdapterIam,
  { target, ...options }: { readonly target: ConnectionTarget } & Omit<LoginOptions, 'signal'>,
): Promise<LoginAttempt> {
  const closed = new AbortController()
  const abort = () => closed.abort()
  socket.once('close', abort)
  const login = await iam.login(target, { signal: closed.signal, ...options })
  // An abort after the wait would cost an exception for each connection that closes.
  socket.off('close', abort)
  return login
}

function tlsRefusal({ ssl }: ConnectionSettings): AuroraIamError | undefined {
  if (ssl) return undefined
  return new AuroraIamError(
    'ERR_AURORA_IAM_TLS_REQUIRED',
    'ssl: missing on this connection, although withAuroraIam set it. Keep it where the options are passed on.',
    { option: 'ssl' },
  )
}

function lifetimeRefusal(option: LifetimeOption | undefined): AuroraIamError | undefined {
  if (option === undefined) return undefined
  return new AuroraIamError(
    'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
    `${option}: has no effect on a single connection, and on a pool only with managedPool. ` +
      'Wrap the pool: managedPool(createPool(…)) of @aurora-iam/mysql2. For a single connection leave it out.',
    { option },
  )
}

/** Reports a connection that closed before its login was over. */
function onClosed({ socket, login, stopFailing }: OpeningConnection): void {
  stopFailing()
  if (!login || login.isOver) return
  // mysql2's own error comes first where it has one.
  setImmediate(() =>
    login.fail(socket.refusal ?? new Error('The connection closed before the login was complete.')),
  )
}

/**
 * Limits the TCP connection, and the time from the opening of the socket to the end of the login. mysql2's own
 * `connectTimeout` also runs while a connection waits for its permit, and before 3.23.3 stops at the server's first
 * byte.
 *
 * @returns what ends the limit of the TCP connection
 */
function limitTime(
  opening: OpeningConnection,
  login: LoginAttempt,
  { tcpTimeoutMs, connectTimeout }: { readonly tcpTimeoutMs: number; readonly connectTimeout: number },
): () => void {
  const giveUp = (error: Error) => failNow(opening, error)
  // It begins first, so that it reports itself where both are as long.
  login.onEnd(limitLoginTime(login, { timeoutMs: connectTimeout, timeoutError }, giveUp))
  const stop = startTimeLimit(tcpTimeoutMs, () => giveUp(tcpTimeoutError(login.dial(), tcpTimeoutMs)))
  login.onEnd(stop)
  return stop
}

/** Fails the connection before this function returns. */
function failNow({ socket, listeners = errorListeners(socket) }: OpeningConnection, error: Error): void {
  try {
    reportError(socket, listeners, error)
  } finally {
    socket.destroy()
  }
}
