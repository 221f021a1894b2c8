import type { Socket } from 'node:net'
import type { LoginAttempt, WriterCheck } from '@aurora-iam/core/adapter'
import type { AuthenticatingConnection } from '../driver-types.ts'

/** Tells `login` how the handshake of a new connection ends, and with a `check` how that ends. */
export function followHandshake(
  login: LoginAttempt,
  { connection, command }: AuthenticatingConnection,
  check: WriterCheck | undefined,
): void {
  const { stream } = connection
  releaseOnLocalClose(login, stream)
  command.once('error', (error) => {
    login.fail(error)
    // mysql2 leaves it to the server to close the connection: one that does not would keep the socket.
    process.nextTick(() => stream.destroy())
  })
  if (check) requireWriter(login, { connection, command }, check)
  else command.once('end', () => login.succeed())
}

/** Asks before anybody else can: mysql2 sends what is queued during the login in order, once it is complete. */
function requireWriter(
  login: LoginAttempt,
  { connection, command }: AuthenticatingConnection,
  check: WriterCheck,
): void {
  let isLoggedIn = false
  command.once('end', () => {
    isLoggedIn = true
  })
  connection.query({ sql: check.sql, rowsAsArray: true, typeCast: true }, (error, rows) => {
    // It is the handshake that failed, with everything that was queued behind it.
    if (!isLoggedIn) return
    const reason = error ?? check.refusal(rows[0]?.[0])
    if (!reason) {
      login.succeed()
      return
    }
    login.discard(reason)
    // After an error that is fatal mysql2 has closed the connection, and told everybody.
    if (!error?.fatal) connection.stream.destroy(reason)
  })
}

/**
 * Settles `login` when this side ends the stream before the server does, as mysql2's `destroy()` does: that says nothing
 * about the server. mysql2 would wait for the server to close its side too.
 */
export function releaseOnLocalClose(login: LoginAttempt, stream: Socket): void {
  const settle = () => {
    // Node ends this side by itself once the server has ended the other.
    if (stream.readableEnded) return
    login.abandon()
    stream.destroy()
  }
  stream.once('finish', settle)
  login.onEnd(() => stream.off('finish', settle))
}
