import type { Session } from '@aurora-iam/wire'
import { query } from './query.ts'

/** Numbers of connections of a database. */
export interface ConnectionFacts {
  readonly maxConnections: number
  /** Connections that are open now, without the one that asks. */
  readonly openConnections: number
}

/**
 * Asks the database for its connections.
 *
 * @throws the errors of {@link query}
 */
export async function readConnectionFacts(session: Session): Promise<ConnectionFacts> {
  const [[limit] = []] = await query(session, 'SELECT @@max_connections')
  const [[, open] = []] = await query(session, "SHOW GLOBAL STATUS LIKE 'Threads_connected'")
  return { maxConnections: Number(limit), openConnections: Number(open) - 1 }
}
