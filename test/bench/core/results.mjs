import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../results/', import.meta.url))

/** Results of one kind of run, part by part. Each part is written when it is done, so that a run can be resumed. */
export class Results {
  #file
  #all
  #mode

  /** @param mode - 'full' or 'quick' */
  constructor(mode) {
    this.#file = `${folder}${mode}.json`
    this.#mode = mode
    this.#all = { parts: {} }
    this.#read()
  }

  #read() {
    if (existsSync(this.#file)) this.#all = JSON.parse(readFileSync(this.#file, 'utf8'))
  }

  /** Returns the result of a part if the same commit measured it. */
  of(part) {
    const known = this.#all.parts[part]
    return known?.commit === commit() ? known : undefined
  }

  save(part, result) {
    // Another run may have measured other parts meanwhile.
    this.#read()
    this.#all.parts[part] = { mode: this.#mode, ...provenance(), ...result }
    mkdirSync(folder, { recursive: true })
    writeFileSync(this.#file, `${JSON.stringify(this.#all, undefined, 1)}\n`)
  }

  get parts() {
    return this.#all.parts
  }
}

function provenance() {
  const [cpu] = cpus()
  return {
    measuredAt: new Date().toISOString(),
    commit: commit(),
    machine: {
      cpu: cpu?.model ?? 'unknown',
      cores: cpus().length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      system: `${process.platform} ${process.arch}`,
      // Of other programs as well: a busy machine makes wall time long.
      load: Number(loadavg()[0].toFixed(1)),
    },
    node: process.versions.node,
  }
}

let head

function commit() {
  head ??= execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: folder, encoding: 'utf8' }).trim()
  return head
}
