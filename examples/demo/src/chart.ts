import { styleText } from 'node:util'
import type { LocalAurora } from '@aurora-iam/local'

const WIDTH = 40

/** Prints one bar for each second of a run: the logins that Local Aurora accepted and refused in it. */
export class LoginChart {
  readonly #aurora: LocalAurora
  readonly #limit: number
  readonly #startedAt = performance.now()
  readonly #notes: string[] = []
  #second = 0
  readonly #timer: NodeJS.Timeout

  constructor(aurora: LocalAurora, limit: number) {
    this.#aurora = aurora
    this.#limit = limit
    print(styleText('dim', `  second  logins by Local Aurora's own count (it admits ${limit} a second)`))
    this.#timer = setInterval(() => this.#printSecond(), 1_000)
  }

  /** Writes `text` beside the bar of the current second. */
  note(text: string): void {
    this.#notes.push(text)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #printSecond(): void {
    const from = this.#startedAt + this.#second * 1_000
    const isNow = ({ atMs }: { atMs: number }) => atMs >= from && atMs < from + 1_000
    const accepted = this.#aurora.log.logins.filter(isNow).length
    const refused = this.#aurora.log.refusals.filter(isNow).length
    const scale = WIDTH / Math.max(this.#limit * 2, accepted + refused)
    const bar =
      styleText('green', '█'.repeat(Math.round(accepted * scale))) +
      styleText('red', '░'.repeat(Math.round(refused * scale)))
    const padding = ' '.repeat(Math.max(0, WIDTH - Math.round((accepted + refused) * scale)))
    const counts = `${String(accepted).padStart(3)} in${refused > 0 ? styleText('red', `, ${refused} refused`) : ''}`
    const notes = this.#notes.splice(0).map((note) => styleText('yellow', `   ${note}`))
    print(`  ${String(this.#second).padStart(4)} s  ${bar}${padding} ${counts}${notes.join('')}`)
    this.#second++
  }
}

/** Prints a heading. */
export function heading(text: string): void {
  print(`\n${styleText('bold', text)}`)
}

/** Prints a line. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
