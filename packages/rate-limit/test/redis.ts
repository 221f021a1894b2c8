import { RedisServer } from '@aurora-iam/test-support/redis-server'
import { Redis, type RedisOptions } from 'ioredis'
import { afterAll } from 'vitest'

/** Starts one Redis for all tests of a file, and returns a client of it. Both are closed after them. */
export async function startRedis(options: RedisOptions = {}): Promise<Redis> {
  const server = await RedisServer.start()
  const redis = new Redis(server.port, options)
  afterAll(async () => {
    redis.disconnect()
    await server.close()
  })
  return redis
}
