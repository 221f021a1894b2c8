import {
  type AdapterIam,
  type ConnectionTarget,
  type LoginAttempt,
  startTimeLimit,
} from '@aurora-iam/core/adapter'
import { onceAnswered } from '../connect/server-reply.ts'
import { timeoutError } from '../connect/timeout-error.ts'
import type { AuthenticatingConnection, ConnectionSettings } from '../driver-types.ts'
import { releaseOnLocalClose } from './track-handshake.ts'

/** Context of {@link loginAgain}. */
export interface ChangeUserContext {
  readonly iam: AdapterIam
  readonly resolve: (settings: ConnectionSettings) => ConnectionTarget
  readonly groupOf: (target: ConnectionTarget) => object
  /** From the permit of a `changeUser` to the server's answer, in milliseconds; 0 for no limit. */
  readonly connectTimeout: number
}

/**
 * Logs in again on an open connection, for `changeUser`. It counts at the server like a new connection. mysql2 reports
 * the outcome to the caller's callback alone, so the server's own answer is read.
 *
 * @returns undefined if the command was over before it had a permit
 */
export async function loginAgain(
  { connection, command }: AuthenticatingConnection,
  { iam, resolve, groupOf, connectTimeout }: ChangeUserContext,
): Promise<LoginAttempt | undefined> {
  const { stream, config } = connection
  const givenUp = new AbortController()
  const giveUp = () => givenUp.abort()
  let isOver = false
  stream.once('close', giveUp)
  command.once('end', () => {
    isOver = true
  })
  const target = resolve(config)
  const login = await iam.loginAgain(target, { signal: givenUp.signal, group: groupOf(target) })
  stream.off('close', giveUp)
  if (isOver) {
    login.cancel()
    return undefined
  }
  followChange(login, { connection, command })
  limitChange(login, stream, connectTimeout)
  return login
}

function followChange(login: LoginAttempt, { connection, command }: AuthenticatingConnection): void {
  const { stream, config } = connection
  releaseOnLocalClose(login, stream)
  const fail = () => login.fail(new Error('The connection closed before the change of user was complete.'))
  stream.once('close', fail)
  login.onEnd(() => stream.off('close', fail))
  command.once('end', () => login.abandon())
  if (config.compress) return
  const stop = onceAnswered(stream, (error) => (error ? login.fail(error) : login.succeed()))
  login.onEnd(stop)
}

function limitChange(
  login: LoginAttempt,
  stream: AuthenticatingConnection['connection']['stream'],
  connectTimeout: number,
): void {
  const stop = startTimeLimit(connectTimeout, () => {
    const error = timeoutError()
    login.fail(error)
    stream.destroy(stream.writable ? error : undefined)
  })
  login.onEnd(stop)
}
