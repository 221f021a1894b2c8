import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { exitStatuses } from '../exit-statuses.ts'
import type { CliOutput } from '../output/output.ts'
import { startGuard } from './guard.ts'

/** Signals that are handed to the command. SIGWINCH and the stop signals reach it from the terminal. */
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const

/** Signals that a terminal sends to the command itself, as it is in the same process group. */
const FROM_TERMINAL: ReadonlySet<string> = new Set(['SIGINT', 'SIGQUIT'])

const { NOT_EXECUTABLE, NOT_FOUND, KILLED } = exitStatuses

/** Surroundings of a command. */
export interface ChildSurroundings {
  readonly environment: NodeJS.ProcessEnv
  /** Folder that goes with the command if this process is killed. */
  readonly folder: string
  readonly output: CliOutput
}

/**
 * Runs a command with the terminal of this process. Returns its exit status, or one of {@link exitStatuses} for a
 * command that cannot be started or is killed.
 */
export function runChild(
  command: string,
  args: readonly string[],
  { environment, folder, output }: ChildSurroundings,
): Promise<number> {
  return new Promise((resolve) => {
    const listeners = FORWARDED.map((signal) => {
      const forward = (): void => {
        if (!(process.stdin.isTTY && FROM_TERMINAL.has(signal))) child.kill(signal)
      }
      process.on(signal, forward)
      return { signal, forward }
    })
    const guard = startGuard(folder)
    // Started after the listeners and the guard, so that no signal is lost.
    const child = spawn(command, args, { stdio: 'inherit', env: environment })
    if (child.pid !== undefined) guard.watch(child.pid)
    const end = (status: number): void => {
      for (const { signal, forward } of listeners) process.off(signal, forward)
      void guard.stop().then(() => resolve(status))
    }
    child.once('error', (error: NodeJS.ErrnoException) => {
      // Node emits it also for a signal that it could not send to a command that runs.
      if (child.pid !== undefined) return
      const reason = error.code === 'ENOENT' ? 'command not found' : `it cannot be executed (${error.code})`
      output.error(`aurora-iam: ${command}: ${reason}\n`)
      end((error.code === 'ENOENT' ? NOT_FOUND : NOT_EXECUTABLE).status)
    })
    child.once('close', (code, signal) => {
      end(signal === null ? (code ?? 0) : KILLED.status + (constants.signals[signal] ?? 0))
    })
  })
}
