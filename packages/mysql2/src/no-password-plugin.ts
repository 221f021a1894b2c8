import { tolerateLateErrors } from './auth/late-errors.ts'
import type { AuthenticatingConnection } from './driver-types.ts'

/**
 * Answers a server that asks for any other proof than the token: there is no password, as mysql2's own plugins would
 * say. Those would say it to a stream that has been ended meanwhile too, and throw what comes of it at the process.
 */
export function noPasswordPlugin({ connection }: AuthenticatingConnection) {
  tolerateLateErrors(connection)
  return async (): Promise<Buffer | null> => (connection.stream.writable ? Buffer.alloc(0) : null)
}
