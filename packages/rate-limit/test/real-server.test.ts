import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { createRateLimiter } from '../src/index.ts'

const limit = 20

test('a real server that counts logins: never more than the limit in a sliding second', async () => {
  const { server, logins } = await startThrottlingServer()
  const { port } = server.address() as AddressInfo
  const limiter = createRateLimiter({ limit })

  const answers = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const permit = await limiter.acquire()
      const socket = connect(port, '127.0.0.1')
      const [answer] = (await once(socket, 'data')) as [Buffer]
      permit.release()
      socket.destroy()
      return answer.toString()
    }),
  )

  expect(answers).toEqual(Array(100).fill('welcome'))
  expect(logins).toHaveLength(100)
  expect(fullestSecond(logins)).toBeLessThanOrEqual(limit)
})

/** Takes 0 to 30 ms to shake hands, notes the login at some moment of that, and refuses the one too many. */
async function startThrottlingServer(): Promise<{ server: Server; logins: number[] }> {
  const logins: number[] = []
  let seed = 7
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed / 2_147_483_647
  }
  const server = createServer((socket) => {
    socket.on('error', () => {})
    const handshakeMs = random() * 30
    const beforeLoginMs = handshakeMs * random()
    setTimeout(() => {
      const now = performance.now()
      logins.push(now)
      const answer = logins.filter((at) => at > now - 1000).length > limit ? 'refused' : 'welcome'
      setTimeout(() => socket.end(answer), handshakeMs - beforeLoginMs)
    }, beforeLoginMs)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
  })
  return { server, logins }
}

/** Returns the most logins in any half-open second. */
function fullestSecond(logins: number[]): number {
  return Math.max(...logins.map((from) => logins.filter((at) => at >= from && at < from + 1000).length))
}
