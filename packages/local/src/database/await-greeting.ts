import type { Socket } from 'node:net'

const PROTOCOL_VERSION = 10
/** Length and sequence number of the packet come before its first byte. */
const HEADER_LENGTH = 4

/**
 * Resolves when a MySQL server greets on the connection, which is then closed; the server is ready for logins.
 *
 * @throws the socket's error, or an Error that names what came instead of a greeting
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
