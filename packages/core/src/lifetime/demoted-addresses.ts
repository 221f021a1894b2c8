import dns from 'node:dns'
import { isIP } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { DEMOTION_MEMORY_MS, DEMOTION_POLL_MS } from '../timings.ts'
import { SingleFlight } from '../util/single-flight.ts'

/**
 * Addresses of writers that were demoted. After a failover the name of the writer endpoint leads to the old writer for
 * some seconds. A login that would reach it waits until the name leads elsewhere, so that no connection is opened to a
 * server that refuses every change. The wait is bounded: a writer can be read-only for another reason.
 */
export class DemotedAddresses {
  readonly #until = new Map<string, number>()
  readonly #waits = new SingleFlight<string, void>()

  /** Remembers that the server at `address` refuses changes, for {@link DEMOTION_MEMORY_MS}. */
  add(address: string): void {
    this.#until.set(address, performance.now() + DEMOTION_MEMORY_MS)
  }

  /** Returns true when a login to `host` may have to wait. Costs nothing while no server was demoted. */
  concerns(host: string | undefined): host is string {
    return this.#until.size > 0 && host !== undefined && isIP(host) === 0
  }

  /** Waits until `host` leads to an address that is not remembered, or to none. Concurrent callers share the look-ups. */
  wait(host: string): Promise<void> {
    return this.#waits.run(host, async () => {
      while (await this.#leadsToDemoted(host)) await sleep(DEMOTION_POLL_MS, undefined, { ref: false })
    })
  }

  async #leadsToDemoted(host: string): Promise<boolean> {
    const now = performance.now()
    for (const [address, until] of this.#until) if (until <= now) this.#until.delete(address)
    if (this.#until.size === 0) return false
    const answers = await dns.promises.lookup(host, { all: true }).catch(() => [])
    return answers.length > 0 && answers.every(({ address }) => this.#until.has(address))
  }
}
