import type { Socket } from 'node:net'
import { SocketLooks } from '@aurora-iam/core/adapter'

/** State of a watched connection. */
interface Watched {
  /** Bytes that this side had written when the server last sent something. */
  answered: number
  /** When a short command was first seen without an answer; undefined while there is none. */
  unansweredSince: number | undefined
}

// The header of a packet, and the number of a command.
const BARE_COMMAND_BYTES = 5

const LIMIT_MS = 10_000

const watched = new SocketLooks<Watched>((stream, state, now) => {
  const isUnanswered = stream.bytesWritten - state.answered === BARE_COMMAND_BYTES
  state.unansweredSince = isUnanswered ? (state.unansweredSince ?? now) : undefined
  if (now - (state.unansweredSince ?? now) >= LIMIT_MS) stream.destroy()
})

/**
 * Destroys `stream` when the server has not answered a command without arguments for 10 seconds. mysql2's `end()` sends
 * COM_QUIT, and waits for the server to close the connection: one that is unresponsive but acknowledges would keep the
 * process alive indefinitely.
 *
 * mysql2 reports COM_QUIT to no listener, so its length tells it. COM_PING and COM_RESET_CONNECTION are as short. A
 * server that runs answers those at once as well, and their caller gets `PROTOCOL_CONNECTION_LOST` otherwise. With
 * mysql2's `compress` no command is recognized.
 *
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_quit.html
 */
export function limitQuit(stream: Socket): void {
  const state: Watched = { answered: stream.bytesWritten, unansweredSince: undefined }
  watched.add(stream, state)
  // Before mysql2 reads it, and sends the next command.
  stream.prependListener('data', () => {
    state.answered = stream.bytesWritten
  })
}
