import type { AdapterIam, ConnectionTarget, LoginAttempt } from '@aurora-iam/core/adapter'
import { timeoutError } from '../connect/timeout-error.ts'
import type { AuthenticatingConnection, ConnectionSettings } from '../driver-types.ts'
import { onceAnswered } from './server-reply.ts'
import { releaseOnLocalClose } from './track-handshake.ts'

/** What {@link loginAgain} needs to know. */
export interface ChangeUserContext {
  readonly iam: AdapterIam
  readonly resolve: (settings: ConnectionSettings) => ConnectionTarget
  /** From the turn of a `changeUser` to the server's answer, in milliseconds; 0 for no bound. */
  readonly connectTimeout: number
}

/**
 * `changeUser` logs in again on an open connection, which counts at the server like a new one. mysql2 tells how it ended
 * to the caller's callback alone, so the server's own answer is looked at.
 *
 * @returns undefined if the command was over before its turn came
 */
export async function loginAgain(
  { connection, command }: AuthenticatingConnection,
  { iam, resolve, connectTimeout }: ChangeUserContext,
): Promise<LoginAttempt | undefined> {
  const { stream, config } = connection
  const givenUp = new AbortController()
  const giveUp = () => givenUp.abort()
  let isOver = false
  stream.once('close', giveUp)
  command.once('end', () => {
    isOver = true
  })
  const login = await iam.login(resolve(config), givenUp.signal)
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
  if (connectTimeout === 0) return
  const timer = setTimeout(() => {
    const error = timeoutError()
    login.fail(error)
    stream.destroy(stream.writable ? error : undefined)
  }, connectTimeout)
  login.onEnd(() => clearTimeout(timer))
}
