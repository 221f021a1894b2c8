import type { Socket } from 'node:net'

/** Reason for which new connections wait: the network loses packets, or the database is paused. */
export type GateReason = 'blackhole' | 'paused'

/**
 * Gate for connections that TCP has accepted. While it is closed for any reason they wait, and their clients get no
 * byte.
 */
export class AcceptGate {
  readonly #reasons = new Set<GateReason>()
  readonly #waiting = new Set<Socket>()
  readonly #serve: (socket: Socket) => void
  readonly #onArrival: (reasons: ReadonlySet<GateReason>) => void

  /**
   * @param serve - Serves a connection that has passed.
   * @param onArrival - Called when a connection begins to wait.
   */
  constructor(serve: (socket: Socket) => void, onArrival: (reasons: ReadonlySet<GateReason>) => void) {
    this.#serve = serve
    this.#onArrival = onArrival
  }

  /** Number of connections that wait. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** Serves a connection now or when the gate opens. */
  arrive(socket: Socket): void {
    if (this.#reasons.size === 0) {
      this.#serve(socket)
      return
    }
    this.#waiting.add(socket)
    socket.unref().on('error', () => {})
    socket.once('close', () => this.#waiting.delete(socket))
    this.#onArrival(this.#reasons)
  }

  /** Closes the gate for a reason. */
  close(reason: GateReason): void {
    this.#reasons.add(reason)
  }

  /** Removes a reason. If it was the last one, the connections that wait are served. */
  open(reason: GateReason): void {
    this.#reasons.delete(reason)
    if (this.#reasons.size > 0) return
    for (const socket of this.#waiting) this.#serve(socket)
    this.#waiting.clear()
  }

  /** Breaks the connections that wait. */
  drop(): void {
    for (const socket of this.#waiting) socket.destroy()
  }
}
