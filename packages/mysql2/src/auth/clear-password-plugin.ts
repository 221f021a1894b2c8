import type { LoginAttempt } from '@aurora-iam/core/adapter'
import { AuroraIamError } from '@aurora-iam/core/adapter'
import type { PendingLogins } from '../connect/pending-logins.ts'
import type { AuthenticatingConnection } from '../driver-types.ts'
import { isPeerVerified, tolerateLateErrors } from '../mysql2-internals.ts'
import { type ChangeUserContext, loginAgain } from './change-user.ts'
import { rememberSession } from './sessions.ts'
import { followHandshake } from './track-handshake.ts'
import { unverifiedError } from './unverified-error.ts'

/** State that the plugins of one pair of hooks share. */
export interface PluginContext extends ChangeUserContext {
  readonly logins: PendingLogins
  /** The login of each handshake whose server has requested a password. */
  readonly followed: WeakMap<AuthenticatingConnection['command'], LoginAttempt>
}

/**
 * Answers a server that asks for `mysql_clear_password` with a live token, on a connection whose TLS peer has been
 * verified and on no other. mysql2 itself makes no such check.
 *
 * A failure never rejects: mysql2 would overwrite its code, and for `changeUser` leave the rejection unhandled and
 * the callback uncalled. The plugin destroys the stream instead, which passes the error to the caller. If mysql2 has
 * ended the stream meanwhile, no caller waits: an error on it would be thrown at the process.
 */
export function clearPasswordPlugin(context: PluginContext) {
  const answered = new WeakSet<AuthenticatingConnection['command']>()
  return ({ connection, command }: AuthenticatingConnection) => {
    tolerateLateErrors(connection)
    return async (): Promise<Buffer | null> => {
      const { stream } = connection
      // The server has broken the connection since it asked. The stream is about to report that.
      if (stream.remoteAddress === undefined) return null
      let login = followLogin({ connection, command }, context)
      try {
        if (!isPeerVerified(connection)) {
          throw unverifiedError(connection.config.connectAttributes?._client_version)
        }
        assertNotPrinted(connection)
        if (answered.has(command)) throw askedTwice()
        answered.add(command)
        if (!login) login = await loginAgain({ connection, command }, context)
        if (!login) return null
        rememberSession(connection, { iam: context.iam, target: login.target })
        const token = await login.token()
        return stream.writable ? Buffer.from(`${token.value}\0`) : null
      } catch (error) {
        login?.fail(error as Error)
        stream.destroy(stream.writable ? (error as Error) : undefined)
        return null
      }
    }
  }
}

/**
 * Answers a server that asks for any other proof than the token with an empty password, as mysql2's own plugins would
 * without one. Those also answer a stream that has been ended meanwhile, and throw its error at the process.
 */
export function noPasswordPlugin(context: PluginContext) {
  return ({ connection, command }: AuthenticatingConnection) => {
    tolerateLateErrors(connection)
    followLogin({ connection, command }, context)
    return async (): Promise<Buffer | null> => (connection.stream.writable ? Buffer.alloc(0) : null)
  }
}

/** Returns the login of a new connection; undefined for `changeUser`. Its outcome is reported from then on. */
function followLogin(
  { connection, command }: AuthenticatingConnection,
  { logins, followed, iam }: PluginContext,
): LoginAttempt | undefined {
  const known = followed.get(command)
  if (known) return known
  const login = logins.take(connection.config, connection.stream)
  if (!login) return undefined
  followed.set(command, login)
  followHandshake(login, { connection, command }, iam.writerCheck(login.target))
  return login
}

/** Returns the error for a server that goes on asking: it would take a permit each time. */
function askedTwice(): Error {
  const error = new Error('The server asked for the token twice in one login. It was sent once.')
  return Object.assign(error, { code: 'AUTH_SWITCH_PLUGIN_ERROR' })
}

/** Throws where mysql2 would print the token: `debug` was added behind withAuroraIam, or left on `Object.prototype`. */
function assertNotPrinted({ config }: AuthenticatingConnection['connection']): void {
  if (!config.debug) return
  throw new AuroraIamError(
    'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
    "debug: set on this connection, so mysql2 would print the token's packet. It was not sent. Leave `debug` out, and " +
      'subscribe to the `aurora-iam:` channels of node:diagnostics_channel instead.',
    { option: 'debug' },
  )
}
