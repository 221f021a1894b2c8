// Limiters of other packages at so many starts a second, each in the strictest of its documented forms. `run` starts
// `work` when it may.
import Bottleneck from 'bottleneck'
import { RateLimiter } from 'limiter'
import PQueue from 'p-queue'
import pThrottle from 'p-throttle'
import { RateLimiterMemory, RateLimiterQueue } from 'rate-limiter-flexible'

export const limiters = {
  'p-throttle': (limit) => {
    const throttled = pThrottle({ limit, interval: 1_000, strict: true })((work) => work())
    return (work) => throttled(work)
  },
  'p-queue': (limit) => {
    const queue = new PQueue({ intervalCap: limit, interval: 1_000, strict: true })
    return (work) => queue.add(work)
  },
  bottleneck: (limit) => {
    const limiter = new Bottleneck({ minTime: 1_000 / limit })
    return (work) => limiter.schedule(work)
  },
  'rate-limiter-flexible': (limit) => {
    const queue = new RateLimiterQueue(new RateLimiterMemory({ points: limit, duration: 1 }), {
      maxQueueSize: 100_000,
    })
    return async (work) => {
      await queue.removeTokens(1)
      return work()
    }
  },
  limiter: (limit) => {
    const bucket = new RateLimiter({ tokensPerInterval: limit, interval: 'second' })
    return async (work) => {
      await bucket.removeTokens(1)
      return work()
    }
  },
}
