import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { RateLimiterOptions, RateLimiterStats } from '@aurora-iam/rate-limit'

const program = fileURLToPath(new URL('../fixtures/fleet/attempts.mjs', import.meta.url))

export interface MemberSettings {
  readonly name: string
  /** Which client, and where its servers are; without, the process shares nothing. */
  readonly redis?: { readonly kind: string; readonly ports: readonly number[] }
  /** Table on a local DynamoDB, in place of Redis, and by how much the clock of this process is wrong. */
  readonly dynamo?: {
    readonly port: number
    readonly tableName: string
    readonly toleranceMs: number
    readonly handshakeMs: number
    readonly clockOffsetMs: number
  }
  /** The port of the server to log in to. */
  readonly server: number
  readonly options: RateLimiterOptions
  /** More of the environment. */
  readonly env?: NodeJS.ProcessEnv | undefined
}

/** Report of a process when its attempts are over. */
export interface MemberReport {
  readonly answers: readonly string[]
  readonly stats: RateLimiterStats
}

/** One process of a fleet. */
export class Member {
  readonly child: ChildProcess

  private constructor(child: ChildProcess) {
    this.child = child
  }

  static async start(settings: MemberSettings): Promise<Member> {
    const env = { ...process.env, ...settings.env, FLEET_SETTINGS: JSON.stringify(settings) }
    const member = new Member(fork(program, { env, execArgv: [] }))
    await once(member.child, 'message')
    return member
  }

  /** Makes all of `attempts` at once, and asks `cancel` more times only to give that up. */
  async run(attempts: number, cancel = 0): Promise<MemberReport> {
    this.child.send({ attempts, cancel })
    const [report] = await once(this.child, 'message')
    return report as MemberReport
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    this.child.kill('SIGKILL')
    await once(this.child, 'exit')
  }
}
