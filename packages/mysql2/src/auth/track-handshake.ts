import type { Socket } from 'node:net'
import type { LoginAttempt, WriterCheck } from '@aurora-iam/core/adapter'
import type { AuthenticatingConnection } from '../driver-types.ts'
import { queryFirst } from '../mysql2-internals.ts'
import { limitQuit } from './unanswered-quit.ts'

// A server that runs closes its side within a round trip.
const LINGER_MS = 2_000

/** Reports to `login` how the handshake of a new connection ends, and with a `check` how that ends. */
export function followHandshake(
  login: LoginAttempt,
  { connection, command }: AuthenticatingConnection,
  check: WriterCheck | undefined,
): void {
  const { stream } = connection
  stream.on('finish', () => {
    if (login.isOver || stream.readableEnded) destroySoon(stream)
    else release(login, stream)
  })
  limitQuit(stream)
  command.once('error', (error) => {
    login.fail(error)
    // mysql2 waits for the server to close the connection: one that does not would keep the socket.
    process.nextTick(() => stream.destroy())
  })
  if (check) requireWriter(login, { connection, command }, check)
  else command.once('end', () => login.succeed())
}

/**
 * Destroys `stream` in some time, as this side has ended it. mysql2's `end()` waits for the server to close its side:
 * one that is unresponsive would keep the process alive until TCP times out, after many minutes.
 */
function destroySoon(stream: Socket): void {
  const timer = setTimeout(() => stream.destroy(), LINGER_MS)
  stream.on('close', () => clearTimeout(timer))
}

/**
 * Asks the server before the caller's first query. It is queued as the handshake ends and no earlier: mysql2 reports
 * the failure of a handshake to what is queued behind it, and to `connect` only where nothing is.
 */
function requireWriter(
  login: LoginAttempt,
  { connection, command }: AuthenticatingConnection,
  check: WriterCheck,
): void {
  // Before mysql2 emits `connect`.
  command.prependOnceListener('end', () => {
    // The caller has closed the connection meanwhile: that is no failure.
    if (!connection.stream.writable) return
    queryFirst(
      connection,
      { sql: check.sql, rowsAsArray: true, nestTables: false, typeCast: true },
      (error, rows) => {
        const reason = error ?? check.refusal(rows[0]?.[0])
        if (!reason) {
          login.succeed()
          return
        }
        login.discard(reason)
        connection.stream.destroy(reason)
      },
    )
  })
}

/**
 * Abandons `login` when this side ends the stream before the server does, as mysql2's `destroy()` does: that shows
 * nothing about the server. mysql2 would wait for the server to close its side too.
 */
export function releaseOnLocalClose(login: LoginAttempt, stream: Socket): void {
  const onFinish = () => {
    // Node ends this side automatically once the server has ended the other.
    if (!stream.readableEnded) release(login, stream)
  }
  stream.once('finish', onFinish)
  login.onEnd(() => stream.off('finish', onFinish))
}

function release(login: LoginAttempt, stream: Socket): void {
  login.abandon()
  stream.destroy()
}
