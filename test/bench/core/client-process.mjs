import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { nodeProgram } from './node-program.mjs'

const program = fileURLToPath(new URL('../client.mjs', import.meta.url))

/** Process of one contender. It does one piece of work after the other, and measures each by its own clocks. */
export class ClientProcess {
  #child
  #waiting = new Map()
  #last = 0

  /**
   * @param contender - path of a module beside `client.mjs`
   * @param settings - for its `setUp`
   */
  static async start(contender, settings = {}, { node, env = {}, execArgv = [] } = {}) {
    const client = new ClientProcess()
    client.#child = fork(program, [contender], {
      execPath: nodeProgram(node),
      execArgv,
      env: { ...process.env, ...env, BENCH_SETTINGS: JSON.stringify(settings) },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    client.#child.on('message', ({ id, result, error }) => {
      const { resolve, reject } = client.#waiting.get(id)
      client.#waiting.delete(id)
      if (error) reject(new Error(`${contender}: ${error}`))
      else resolve(result)
    })
    client.#child.once('exit', (status, signal) => {
      for (const { reject } of client.#waiting.values())
        reject(new Error(`${contender} ended with ${signal ?? status}`))
    })
    client.versions = await client.do('versions')
    return client
  }

  /** Runs `work`, a function of the contender. Returns its result with `wallMs` and `cpuMs`. */
  do(work, ...args) {
    const id = ++this.#last
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#child.send({ id, work, args })
    })
  }

  stop() {
    if (this.#child.connected) this.#child.disconnect()
    this.#child.kill()
  }
}
