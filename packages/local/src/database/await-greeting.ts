import type { Socket } from 'node:net'

const PROTOCOL_VERSION = 10
/** Bytes before the payload of a packet: its length and its sequence number. */
const HEADER_LENGTH = 4

/**
 * Waits for the greeting of a MySQL server, which is then ready for logins, and closes the connection.
 *
 * @throws the error of the socket, or an Error that describes what came in place of a greeting
 */
export async function awaitGreeting(connection: Socket, signal: AbortSignal): Promise<void> {
  const abort = () => connection.destroy(signal.reason)
  signal.addEventListener('abort', abort)
  try {
    if (signal.aborted) abort()
    for await (const chunk of connection as AsyncIterable<Buffer>) {
      if (chunk[HEADER_LENGTH] === PROTOCOL_VERSION) return
      throw new Error('what answers there does not greet as a MySQL server does')
    }
    throw new Error('the connection was closed before a greeting')
  } finally {
    signal.removeEventListener('abort', abort)
    connection.destroy()
  }
}
