import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startLocalAurora } from '@aurora-iam/local'
import { expect, test } from 'vitest'
import { greeting, impostor } from './hostile-scripts.ts'
import { startHostileServer } from './hostile-server.ts'

const PROGRAM = fileURLToPath(new URL('../fixtures/leaks.mjs', import.meta.url))

/** Measurements of a program when it is idle. */
interface Measurement {
  readonly heapMb: number
  readonly resources: readonly string[]
  readonly listeners: readonly string[]
  readonly limiter: { readonly inFlight: number; readonly waiting: number }
}

interface Report {
  readonly before: Measurement
  readonly after: Measurement
  readonly opened: number
  readonly failed: number
}

/** Numbers of connections that each adapter opens and closes, and of those that fail. */
export interface Amount {
  readonly connects: number
  readonly failures: number
  /** Growth of the heap that is allowed by the end, with what V8 keeps. */
  readonly heapGrowthMb: number
}

/** Checks that each adapter leaves nothing behind, in a separate program. */
export function describeLeaks({ connects, failures, heapGrowthMb }: Amount, timeout: number): void {
  test.concurrent.each(['mysql2', 'knex', 'typeorm', 'prisma'])(
    `%s: nothing is left after ${connects} connections, and ${failures} that failed`,
    { timeout },
    async (adapter) => {
      await using aurora = await startLocalAurora({ throttle: false })
      await using impostors = await startHostileServer(aurora.hostname)
      impostors.script = impostor('MySQL', 'wrongName')
      await using cutting = await startHostileServer(aurora.hostname)
      cutting.script = (session) => {
        session.send(greeting('MySQL').subarray(0, 20))
        session.end()
      }
      const ports = {
        good: aurora.port,
        refused: await unusedPort(),
        cut: cutting.port,
        impostor: impostors.port,
      }
      const { clock: _, ...iam } = aurora.iam
      const LEAKS = JSON.stringify({ adapter, connects, failures, ports, iam: { ...iam, port: aurora.port } })
      const program = fork(PROGRAM, {
        execArgv: ['--expose-gc'],
        env: { ...process.env, LEAKS },
        stdio: 'pipe',
        timeout,
      })
      const printed = Promise.all([text(program.stdout!), text(program.stderr!), once(program, 'close')])
      const report = await reportOf(program)
      // The clients have gone; the server may still have to notice.
      for (let i = 0; i < 1_000 && aurora.openConnections > 0; i++) await sleep(5)
      expect(aurora.openConnections).toBe(0)
      if (program.connected) program.send('done')
      const [stdout, stderr, [status]] = await printed
      expect({ stdout, stderr, status }).toEqual({ stdout: '', stderr: '', status: 0 })

      const { before, after, opened, failed } = report as Report
      const growth = after.heapMb - before.heapMb
      process.stdout.write(
        `${adapter}: ${opened} connections and ${failed} failures; heap ${before.heapMb.toFixed(1)} MB, then ${after.heapMb.toFixed(1)} MB\n`,
      )
      expect({ opened, failed }).toEqual({ opened: connects, failed: failures })
      expect(after).toEqual({ ...before, heapMb: after.heapMb, limiter: { inFlight: 0, waiting: 0 } })
      expect(growth).toBeLessThan(heapGrowthMb)
    },
  )
}

/** Returns what the program sends, or undefined if it ends without a message. */
async function reportOf(program: ChildProcess): Promise<Report | undefined> {
  const [report] = await Promise.race([once(program, 'message'), once(program, 'close').then(() => [])])
  return report as Report | undefined
}

/** Returns a port without a listener. */
async function unusedPort(): Promise<number> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  await once(server.close(), 'close')
  return port
}
