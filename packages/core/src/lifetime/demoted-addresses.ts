import dns from 'node:dns'
import { isIP } from 'node:net'
import { DEMOTION_MEMORY_MS, DEMOTION_POLL_MS } from '../timings.ts'
import { monotonicMs } from '../util/monotonic-ms.ts'
import { SingleFlight } from '../util/single-flight.ts'

/**
 * Addresses of writers that were demoted. After a failover the name of the writer endpoint leads to the old writer for
 * some seconds. A login that would reach it waits until the name leads elsewhere, so that no connection is opened to a
 * server that refuses every change. The wait is bounded: a writer can be read-only for another reason.
 *
 * Once the name leads elsewhere, the address is forgotten. If the name leads back, the old writer is the writer again.
 */
export class DemotedAddresses {
  /** When each address is forgotten, by the host name that led to it. */
  readonly #until = new Map<string, Map<string, number>>()
  readonly #waits = new SingleFlight<string, void>()

  /**
   * Remembers that the server at `address`, to which `host` led, refuses changes, for {@link DEMOTION_MEMORY_MS}. A
   * host that is an IP address is not remembered: it leads nowhere else.
   */
  add(host: string, address: string): void {
    if (isIP(host) !== 0) return
    const known = this.#until.get(host) ?? new Map<string, number>()
    this.#until.set(host, known.set(address, monotonicMs() + DEMOTION_MEMORY_MS))
  }

  /** Returns true when a login to `host` may have to wait. */
  concerns(host: string): boolean {
    return this.#until.has(host)
  }

  /**
   * Waits until `host` leads to an address that is not remembered, or to none. Concurrent callers share the look-ups.
   */
  wait(host: string): Promise<void> {
    return this.#waits.run(host, async () => {
      while (await this.#leadsToDemoted(host)) {
        await new Promise<void>((resolve) => setTimeout(resolve, DEMOTION_POLL_MS).unref())
      }
    })
  }

  async #leadsToDemoted(host: string): Promise<boolean> {
    this.#forget(host, (_address, until) => until <= monotonicMs())
    const known = this.#until.get(host)
    if (!known) return false
    const answers = await dns.promises.lookup(host, { all: true }).catch(() => [])
    if (answers.length === 0) return false
    const addresses = answers.map(({ address }) => address)
    const leadsToDemoted = addresses.every((address) => known.has(address))
    this.#forget(host, (address) => !addresses.includes(address))
    return leadsToDemoted
  }

  #forget(host: string, isOver: (address: string, until: number) => boolean): void {
    const known = this.#until.get(host)
    if (!known) return
    for (const [address, until] of known) if (isOver(address, until)) known.delete(address)
    if (known.size === 0) this.#until.delete(host)
  }
}
