import { setTimeout as sleep } from 'node:timers/promises'
import type { LocalAurora } from '@aurora-iam/local'
import { RATE } from './faults.ts'
import { answerNames } from './name-server.ts'
import type { Random } from './random.ts'

/** The longest time that the cluster takes to resume, in milliseconds. */
const RESUME_MS = 1_500

/** A Local Aurora of two servers, whose name leads to the writer a while late, and whose servers go wrong. */
export class FailingServers {
  readonly aurora: LocalAurora
  /** To be called each time that a COMMIT is under way. */
  onCommit: () => void = () => {}
  /** Numbers of faults so far, by name. */
  readonly fired = new Map<string, number>()
  /** Where the name leads now. */
  #address: string
  #isSwitched = false

  constructor(aurora: LocalAurora) {
    this.aurora = aurora
    this.#address = aurora.writer.host
    aurora.setThrottle(RATE)
    answerNames((name) => (name === aurora.hostname ? this.#address : undefined))
  }

  readonly isManaged = true

  /** Where clients connect. */
  get address() {
    const { hostname: host, port, database } = this.aurora
    return { host, port, database }
  }

  /** The options of an AuroraIam for these servers. */
  get iam() {
    const { region, credentials, ca } = this.aurora
    return { region, credentials, ca, watchEndpointMs: 1_000, resumeTimeoutMs: 10_000 }
  }

  readonly #faults: Readonly<Record<string, (random: Random) => Promise<void>>> = {
    blackhole: async (random) => {
      this.aurora.faults.blackhole()
      await sleep(random.between(200, 1_500))
      this.aurora.faults.clear()
    },
    failover: async (random) => {
      // A switchover leaves one server.
      if (this.#isSwitched) return
      await this.aurora.failover({ keepConnections: random.between(0, 1) === 1 })
      await this.#moveName(random)
    },
    closeIdleSessions: async () => {
      this.aurora.faults.closeIdleSessions()
    },
    pause: async (random) => {
      const resumed = new Promise<void>((resolve) => {
        const stop = this.aurora.log.on(({ type }) => {
          if (type !== 'resumed') return
          stop()
          resolve()
        })
      })
      this.aurora.pause({ resumeAfterMs: random.between(300, RESUME_MS) })
      await resumed
    },
  }

  /** Lets a fault of every kind fire in each round, in an order that `random` decides, for at least `forMs`. */
  async injectFaults(random: Random, forMs: number): Promise<void> {
    const endsAt = performance.now() + forMs
    do {
      for (const [name, fault] of random.shuffled(Object.entries(this.#faults))) {
        await sleep(random.between(200, 800))
        await this.#fire(name, () => fault(random))
      }
      if (!this.#isSwitched && performance.now() > endsAt - forMs / 3) {
        await this.#fire('switchover', () => this.#switchOver(random))
      }
    } while (performance.now() < endsAt)
  }

  async #fire(name: string, fault: () => Promise<void>): Promise<void> {
    this.fired.set(name, (this.fired.get(name) ?? 0) + 1)
    await fault()
  }

  async #switchOver(random: Random): Promise<void> {
    this.#isSwitched = true
    await this.aurora.switchover({ windowMs: random.between(0, 500) })
    await this.#moveName(random)
  }

  async #moveName(random: Random): Promise<void> {
    await sleep(random.between(0, 1_000))
    this.#address = this.aurora.writer.host
  }
}
