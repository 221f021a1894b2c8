import { vi } from 'vitest'
import { type AdapterIam, type ConnectionTarget, monotonicMs } from '../../src/adapter.ts'

/** Address as the clients meet it: it answers outside of its outages, from and to in milliseconds of the clock. */
export interface SimulatedAddress {
  readonly port: number
  readonly outages: ReadonlyArray<readonly [fromMs: number, toMs: number]>
  /** In an outage: sends nothing until it is over, or refuses the connection. */
  readonly isSilent: boolean
  readonly roundTripMs: number
}

export interface Worker {
  readonly iam: AdapterIam
  readonly target: ConnectionTarget
  readonly startsAtMs: number
  readonly pauseMs: number
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const lost = (code: string, errno: number) => Object.assign(new Error(code), { code, errno })

/** Clients that log in one connection after the other, and what a server behind the addresses counts. */
export class SimulatedClients {
  /** When each token reached the server. */
  readonly arrivals: Array<{ readonly atMs: number; readonly port: number }> = []
  readonly #addresses: ReadonlyMap<number, SimulatedAddress>
  readonly #tcpTimeoutMs: number
  #isOver = false

  constructor(addresses: readonly SimulatedAddress[], tcpTimeoutMs: number) {
    this.#addresses = new Map(addresses.map((address) => [address.port, address]))
    this.#tcpTimeoutMs = tcpTimeoutMs
  }

  /** Lets `workers` log in for `durationMs` of the moved clock, and then until each has had its answer. */
  async run(workers: readonly Worker[], durationMs: number): Promise<void> {
    const ends = workers.map((worker) => this.#work(worker))
    await vi.advanceTimersByTimeAsync(durationMs)
    this.#isOver = true
    let hasEnded = false
    const settled = Promise.allSettled(ends).then(() => {
      hasEnded = true
    })
    for (let seconds = 0; !hasEnded; seconds++) {
      if (seconds > 1_000) throw new Error('An attempt never ended.')
      await vi.advanceTimersByTimeAsync(1000)
      // What does not wait for a timer, as loading a module.
      await new Promise(setImmediate)
    }
    await settled
  }

  count(port: number): number {
    return this.arrivals.filter((arrival) => arrival.port === port).length
  }

  /** Returns the most tokens in any interval of this length. */
  peak(intervalMs: number): number {
    const times = this.arrivals.map(({ atMs }) => atMs).sort((one, other) => one - other)
    let first = 0
    let peak = 0
    for (const [index, at] of times.entries()) {
      while (at - (times[first] as number) >= intervalMs) first++
      peak = Math.max(peak, index - first + 1)
    }
    return peak
  }

  async #work({ iam, target, startsAtMs, pauseMs }: Worker): Promise<void> {
    await sleep(startsAtMs)
    while (!this.#isOver) {
      await this.#logIn(iam, target).catch(() => {})
      await sleep(pauseMs)
    }
  }

  async #logIn(iam: AdapterIam, target: ConnectionTarget): Promise<void> {
    // As an adapter does.
    const login = iam.tryLogin(target) ?? (await iam.login(target))
    const { port, outages, isSilent, roundTripMs } = this.#addresses.get(login.dial().port)!
    login.trackConnect()
    const startedAt = monotonicMs()
    for (;;) {
      const now = monotonicMs()
      const outage = outages.find(([from, to]) => now >= from && now < to)
      if (!outage) break
      if (!isSilent) {
        await sleep(roundTripMs)
        return login.fail(lost('ECONNREFUSED', -111))
      }
      const leftMs = startedAt + this.#tcpTimeoutMs - now
      await sleep(Math.min(outage[1] - now, leftMs))
      if (monotonicMs() - startedAt >= this.#tcpTimeoutMs) return login.fail(lost('ETIMEDOUT', -110))
    }
    await sleep(roundTripMs)
    await login.confirmPermit()
    await login.token()
    await sleep(roundTripMs / 2)
    this.arrivals.push({ atMs: monotonicMs(), port })
    await sleep(roundTripMs / 2)
    login.succeed()
  }
}
