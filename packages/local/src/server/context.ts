import type { Duplex } from 'node:stream'
import type { Backend } from '../database/backend.ts'
import type { Faults } from '../faults/faults.ts'
import type { ServerCertificates } from '../tls/accept-tls.ts'
import type { Gatekeeper } from './gatekeeper.ts'

/** State that the connections of one server share. */
export interface ServerContext extends Gatekeeper {
  readonly backend: Backend
  readonly certificates: ServerCertificates
  readonly faults: Pick<Faults, 'current'>
  /** Longest wait for a packet of a client that is not logged in, in milliseconds. */
  readonly connectTimeoutMs: number
}

/** A client that just connected. */
export interface Incoming {
  readonly stream: Duplex
  /** Number of the connection in the log. */
  readonly connection: number
  readonly remoteAddress: string
}
