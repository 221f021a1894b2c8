// How the cost of one operation grows with the number of waiters, users and endpoints.
import { createAuroraIam } from '@aurora-iam/core'
import { adapterIam } from '@aurora-iam/core/adapter'
import { createRateLimiter } from '@aurora-iam/rate-limit'

const credentials = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
}
const hostOf = (index) => `db${index}.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com`

export function setUp() {
  return {
    /** Joins a queue of `count` and leaves it, each request once. */
    async waiters(count) {
      const limiter = createRateLimiter({ limit: 1, maxQueue: count })
      await limiter.acquire()
      const controller = new AbortController()
      const heapBefore = heap()
      const requests = Array.from({ length: count }, () => limiter.acquire({ signal: controller.signal }))
      const heapBytes = heap() - heapBefore
      controller.abort()
      await Promise.allSettled(requests)
      limiter.close()
      return { heapBytes }
    },
    /** Signs a token for each of `count` users. */
    async signings(count) {
      const iam = createAuroraIam({ credentials, rateLimit: false })
      const heapBefore = heap()
      for (let i = 0; i < count; i++)
        await iam.token({ hostname: hostOf(0), port: 3306, username: `user${i}` })
      return { heapBytes: heap() - heapBefore }
    },
    /** Logs in 10,000 times at `count` endpoints in turn, whose tokens are cached. */
    async endpoints(count) {
      const iam = adapterIam(
        createAuroraIam({ credentials, rateLimit: { limit: 10_000_000, intervalMs: 1 } }),
      )
      const targets = Array.from({ length: count }, (_, index) =>
        iam.resolve({ host: hostOf(index), port: 3306, user: 'app' }),
      )
      for (const target of targets) (await iam.login(target)).succeed()
      const startedAt = performance.now()
      for (let i = 0; i < 10_000; i++) {
        const target = targets[i % count]
        ;(iam.tryLogin(target) ?? (await iam.login(target))).succeed()
      }
      const eachUs = (performance.now() - startedAt) / 10
      iam.close()
      return { eachUs }
    },
  }
}

function heap() {
  globalThis.gc()
  return process.memoryUsage().heapUsed
}
