import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Both where they are installed: Redis must be, for Valkey see the test that says which ones were used. */
export const serverPrograms = ['redis-server', 'valkey-server'].filter(
  (name) => spawnSync(name, ['--version']).status === 0,
)

// Below the ports that the system assigns to port 0, and so is the bus of a cluster, 10,000 above.
const PORTS = [10_000, 22_000] as const

/** Redis server of one test, on a free port of the loopback, in a temporary folder, without persistence. */
export class RedisServer {
  readonly port: number
  readonly folder: string
  readonly #program: string
  readonly #settings: readonly string[]
  #process: ChildProcess | undefined

  private constructor(program: string, port: number, folder: string, settings: readonly string[]) {
    this.#program = program
    this.port = port
    this.folder = folder
    this.#settings = settings
  }

  /** @param settings - further command line arguments, given the folder. */
  static async start(
    program = 'redis-server',
    settings: (folder: string, port: number) => readonly string[] = () => [],
  ): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), 'rate-limit-redis-'))
    return RedisServer.#onFreePort(async (port) => {
      return new RedisServer(program, port, folder, [
        ...['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder],
        ...['--save', '', '--appendonly', 'no', '--loglevel', 'warning'],
        ...settings(folder, port),
      ])
    })
  }

  /** Starts a Sentinel, whose settings are in the file that `write` leaves. */
  static async startSentinel(write: (folder: string, port: number) => Promise<string>): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), 'rate-limit-sentinel-'))
    return RedisServer.#onFreePort(async (port) => {
      return new RedisServer('redis-server', port, folder, [await write(folder, port), '--sentinel'])
    })
  }

  /** Tries another port when the server exits at once, because its port or that of its bus is taken. */
  static async #onFreePort(create: (port: number) => Promise<RedisServer>): Promise<RedisServer> {
    for (let tries = 1; ; tries++) {
      const server = await create(randomInt(...PORTS))
      try {
        await server.up()
        return server
      } catch (error) {
        await server.kill()
        if (tries === 10) throw error
      }
    }
  }

  /** Starts it, also after a stop. It is empty, as nothing is kept. */
  async up(): Promise<void> {
    const child = spawn(this.#program, this.#settings, { stdio: 'ignore' })
    this.#process = child
    const deadline = performance.now() + 10_000
    // Another server on the port may be a Redis too.
    while (!(await info(this.port)).includes(`process_id:${child.pid}\r\n`)) {
      if (child.exitCode !== null) {
        throw new Error(`${this.#program} ended: port ${this.port} is taken, or a setting is wrong.`)
      }
      if (performance.now() > deadline) throw new Error(`No Redis answered on port ${this.port}.`)
      await sleep(20)
    }
  }

  /** Says something to it as `redis-cli` does, and returns the answer. */
  async command(...words: string[]): Promise<string> {
    const { stdout } = await run('redis-cli', ['-p', `${this.port}`, ...words])
    return stdout.trim()
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name)
  }

  async kill(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  async close(): Promise<void> {
    await this.kill()
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** Returns the report of a Redis about itself, or nothing. */
async function info(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  try {
    socket.write('INFO server\r\n')
    const [answer] = await once(socket, 'data')
    return String(answer)
  } catch {
    return ''
  } finally {
    socket.destroy()
  }
}
