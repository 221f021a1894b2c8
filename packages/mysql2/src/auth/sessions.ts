import type { AdapterIam, ConnectionTarget } from '@aurora-iam/core/adapter'

/** The AuroraIam and the target that a connection logged in with. */
export interface Session {
  readonly iam: AdapterIam
  readonly target: ConnectionTarget
}

const sessions = new WeakMap<object, Session>()

/** Remembers what `connection` logs in with. */
export function rememberSession(connection: object, session: Session): void {
  sessions.set(connection, session)
}

/** Returns what `connection` logged in with; undefined for a connection that gave no token. */
export function sessionOf(connection: object): Session | undefined {
  return sessions.get(connection)
}
