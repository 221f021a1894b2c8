import type { Session } from '@aurora-iam/wire'
import { queryNumber } from './query.ts'

/** Numbers of connections of a database. */
export interface ConnectionFacts {
  readonly maxConnections: number
  /** Connections that are open now, without the one that asks. */
  readonly openConnections: number
}

/**
 * Asks the database for its connections.
 *
 * @throws the errors of {@link queryNumber}
 */
export async function readConnectionFacts(session: Session): Promise<ConnectionFacts> {
  const maxConnections = await queryNumber(session, 'SELECT @@max_connections')
  const open = await queryNumber(session, "SHOW GLOBAL STATUS LIKE 'Threads_connected'")
  return { maxConnections, openConnections: Math.max(open - 1, 0) }
}
