import type { Socket } from 'node:net'
import { AuroraIamError } from '@aurora-iam/core'
import type { AdapterIam, ConnectionTarget, LoginAttempt } from '@aurora-iam/core/adapter'
import type { ConnectionSettings } from '../driver-types.ts'
import { DeferredSocket } from './deferred-socket.ts'
import type { PendingLogins } from './pending-logins.ts'
import { timeoutError } from './timeout-error.ts'

/** What one call of {@link openWhenPermitted} needs to know. */
export interface SocketContext {
  readonly iam: AdapterIam
  readonly logins: PendingLogins
  readonly resolve: (settings: ConnectionSettings) => ConnectionTarget
  /** From the opening of the socket to the end of the login, the check of `requireWriter` included, in milliseconds; 0 for no bound. */
  readonly connectTimeout: number
}

/**
 * The socket of one new connection, for mysql2's `stream` option: handed over unconnected, connected when a token
 * is at hand and the rate limit has a place. Whatever prevents that destroys it with the error, which reaches the
 * caller of mysql2 as it is; and when mysql2 gives up first, the place goes to the next in line.
 */
export function openWhenPermitted(settings: ConnectionSettings, context: SocketContext): Socket {
  const socket = new DeferredSocket()
  const givenUp = new AbortController()
  socket.once('close', () => givenUp.abort())
  // mysql2 does both for the sockets it makes itself, and neither for one that it is given.
  socket.setNoDelay(true)
  if (settings.enableKeepAlive) socket.setKeepAlive(true, settings.keepAliveInitialDelay ?? 0)
  open(socket, settings, context, givenUp.signal).catch((error: Error) => {
    if (!socket.destroyed) socket.destroy(error)
  })
  return socket
}

async function open(
  socket: Socket,
  settings: ConnectionSettings,
  { iam, logins, resolve, connectTimeout }: SocketContext,
  givenUp: AbortSignal,
): Promise<void> {
  // mysql2 would listen a tick later: an error must not be thrown at it before.
  await null
  const target = resolve(settings)
  if (!settings.ssl) {
    throw new AuroraIamError(
      'ERR_AURORA_IAM_TLS_REQUIRED',
      'ssl: this connection has none, although withAuroraIam set it. Whatever removed it on the way must keep it.',
      { option: 'ssl' },
    )
  }
  const login = await iam.login(target, givenUp)
  if (socket.destroyed) {
    login.cancel()
    return
  }
  socket.once('connect', () => logins.add(socket, login))
  socket.once('error', (error) => login.fail(error))
  socket.once('close', () => login.fail(new Error('The connection closed before the login was complete.')))
  limitTime(socket, login, connectTimeout)
  socket.connect(login.dial())
}

/**
 * mysql2's own `connectTimeout` runs while a connection waits for its place, and before 3.23.3 stops at the first
 * byte of the server. This one is the caller's: from the opening of the socket to the end of the login.
 */
function limitTime(socket: Socket, login: LoginAttempt, connectTimeout: number): void {
  if (connectTimeout === 0) return
  // Those of mysql2 and of the login: TLS, which listens later, would have mysql2 write HANDSHAKE_SSL_ERROR over the code.
  const listeners = socket.listeners('error')
  const timer = setTimeout(() => {
    const error = timeoutError()
    try {
      for (const listener of listeners) listener.call(socket, error)
    } catch (thrown) {
      // mysql2 has let go of the connection, and nobody is left to be told.
      if (thrown !== error) throw thrown
    } finally {
      socket.destroy()
    }
  }, connectTimeout)
  login.onEnd(() => clearTimeout(timer))
}
