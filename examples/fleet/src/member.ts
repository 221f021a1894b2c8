// One process of the fleet: a pool of ten connections, under the limit that it shares with the others.
import { createAuroraIam, withAuroraIam } from '@aurora-iam/mysql2'
import { redisStore } from '@aurora-iam/rate-limit'
import { Redis } from 'ioredis'
import mysql from 'mysql2/promise'

const { redisPort, limit, iam: settings, ...address } = JSON.parse(process.env.FLEET ?? '{}')

// The lines that matter:
const redis = new Redis({ host: '127.0.0.1', port: redisPort })
const iam = createAuroraIam({ ...settings, rateLimit: { limit, store: redisStore(redis) } })
const pool = mysql.createPool(withAuroraIam({ ...address, user: 'app', connectionLimit: 10 }, iam))

const connections = await Promise.all(Array.from({ length: 10 }, () => pool.getConnection()))
for (const connection of connections) connection.release()
await pool.end()
iam.close()
redis.disconnect()
