import type { Login, WriterCheck } from '@aurora-iam/core'
import type { AuthenticatingConnection } from '../driver-types.ts'
import { settleOnOwnEnd } from '../own-end.ts'

/** Tells `login` how the handshake of a new connection ends, and with a `check` how that ends. */
export function followHandshake(
  login: Login,
  { connection, command }: AuthenticatingConnection,
  check: WriterCheck | undefined,
): void {
  const { stream } = connection
  settleOnOwnEnd(login, stream)
  command.once('error', (error) => {
    login.failed(error)
    // mysql2 leaves it to the server to close the connection: one that does not would keep the socket.
    process.nextTick(() => stream.destroy())
  })
  if (check) requireWriter(login, { connection, command }, check)
  else command.once('end', () => login.accepted())
}

/** Asks before anybody else can: mysql2 sends what is queued during the login in order, once it is complete. */
function requireWriter(
  login: Login,
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
      login.accepted()
      return
    }
    login.notKept(reason)
    // After an error that is fatal mysql2 has closed the connection, and told everybody.
    if (!error?.fatal) connection.stream.destroy(reason)
  })
}
