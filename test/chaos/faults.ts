import { setTimeout as sleep } from 'node:timers/promises'
import { createPrincipal, type LocalAurora } from '@aurora-iam/local'
import type { Random } from './random.ts'

const MINUTE_MS = 60_000

/** Logins in a second that the server admits while it does not throttle, and that all clients together ask for. */
export const RATE = 20

/** A Local Aurora, a clock and a credential source that go wrong. */
export class FaultyEnvironment {
  readonly aurora: LocalAurora
  /** Milliseconds that the clocks of the server and of this machine are ahead. */
  #serverAheadMs = 0
  #hereAheadMs = 0
  #signer: ReturnType<typeof createPrincipal>
  /** To be called each time that a COMMIT is under way. */
  onCommit: () => void = () => {}

  constructor(aurora: LocalAurora) {
    this.aurora = aurora
    this.#signer = aurora.credentials
    aurora.setThrottle(RATE)
    aurora.setClock(() => Date.now() + this.#serverAheadMs)
  }

  readonly isManaged = false

  /** Where clients connect. */
  get address() {
    const { host, port, database } = this.aurora
    return { host, port, database }
  }

  /** The options of an AuroraIam in this environment. */
  get iam() {
    return {
      ...this.aurora.iam,
      clock: () => Date.now() + this.#hereAheadMs,
      credentials: async () => this.#signer,
    }
  }

  /** Faults. Each breaks something, waits for a while and then repairs it. */
  readonly faults: Readonly<Record<string, (random: Random) => Promise<void>>> = {
    drops: async () => {
      for (let times = 0; times < 3; times++) {
        this.#drop()
        await sleep(100)
      }
    },
    cuts: async (random) => {
      this.aurora.faults.set({ cutAfterBytes: random.between(1_500, 4_000) })
      await this.#dropAndWait(random)
      this.aurora.faults.clear()
    },
    'cuts at COMMIT': async (random) => {
      for (let times = 0; times < 3; times++) {
        const commit = new Promise<void>((resolve) => {
          this.onCommit = resolve
        })
        await Promise.race([commit, sleep(2_000)])
        await sleep(random.between(0, 2))
        this.#drop()
      }
    },
    throttling: async (random) => {
      this.aurora.setThrottle(3)
      await this.#dropAndWait(random)
      this.aurora.setThrottle(RATE)
    },
    refusals: async (random) => {
      this.aurora.faults.set({ refuse: 'InternalError' })
      await this.#dropAndWait(random)
      this.aurora.faults.clear()
    },
    'time passes': async (random) => {
      this.#serverAheadMs += random.between(1, 30) * MINUTE_MS
      this.#hereAheadMs = this.#serverAheadMs
      await this.#dropAndWait(random)
    },
    'a clock that is wrong': async (random) => {
      this.#hereAheadMs += random.between(0, 1) ? 20 * MINUTE_MS : -20 * MINUTE_MS
      await this.#dropAndWait(random)
      this.#hereAheadMs = this.#serverAheadMs
    },
    'a key is rotated': async (random) => {
      const former = this.#signer
      this.#signer = createPrincipal()
      this.aurora.principals.add(this.#signer)
      this.aurora.principals.remove(former.accessKeyId)
      await this.#dropAndWait(random)
    },
    'a restart': () => this.aurora.restart(),
  }

  #drop(): void {
    this.aurora.faults.dropConnections()
  }

  async #dropAndWait(random: Random): Promise<void> {
    this.#drop()
    await sleep(random.between(300, 900))
  }
}

/** Lets every fault of `environment` fire once in each of so many `rounds`, in an order that `random` decides. */
export async function injectFaults(
  environment: FaultyEnvironment,
  random: Random,
  rounds: number,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (const fault of random.shuffled(Object.values(environment.faults))) {
      await sleep(random.between(400, 1_200))
      await fault(random)
    }
  }
}
