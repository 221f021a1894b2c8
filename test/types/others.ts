// What users of the packages without a driver write. Their declarations are compiled with those of the adapters.
import { createAuroraIam } from '@aurora-iam/core'
import { type LocalAurora, startLocalAurora } from '@aurora-iam/local'
import { createRateLimiter, dynamoStore, redisStore } from '@aurora-iam/rate-limit'
import { PacketChannel } from '@aurora-iam/wire'

export const iam = createAuroraIam()
export const pools = iam.stats().pools
export const limiter = createRateLimiter({ limit: 20 })
export const permit = limiter.acquire()
export const aurora: Promise<LocalAurora> = startLocalAurora()
export const events = aurora.then(({ log }) => [...log])
export const channel: typeof PacketChannel = PacketChannel
export const stores = { dynamoStore, redisStore }
