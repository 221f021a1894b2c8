import { spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'

/**
 * Shell script that starts a command again when it ended cleanly, and that outlives this process long enough to
 * clean up. Its standard input is a pipe that this process holds: the kernel closes it however the process ends,
 * SIGKILL included. Then the shell kills the command and what it started, and removes the folder. Without job control
 * all of them share the process group that `detached` made.
 *
 * The shell must survive TERM, which `kill 0` sends to the shell too, and PIPE, once its error output has no reader.
 */
const SUPERVISOR = `
exec 3<&0 </dev/null
trap : TERM HUP PIPE
folder=$1
shift
while
  "$@" 3<&- >"$folder/log" 2>&1 &
  command=$!
  (read -r line <&3; kill -9 $command 2>/dev/null) &
  watcher=$!
  wait $command
do
  kill -9 $watcher 2>/dev/null
done
kill -9 $command 2>/dev/null
tail -n 20 "$folder/log" >&2
kill 0
attempts=0
until rm -rf "$folder" || [ $attempts -eq 50 ]; do attempts=$((attempts + 1)); sleep 0.1; done
`

/** Characters of the end of a log that an error shows. */
const LAST_WORDS = 4000

/** Command that is started again when it ends with status 0, and that ends with this process. */
export interface SupervisedProcess {
  /** Signal that aborts when the command has ended and its folder is removed. Its reason has the last output. */
  readonly ended: AbortSignal
  /** Lets this process end although the command runs. */
  unref(): void
  /** Kills the command and waits until its folder is removed. May be called again. */
  stop(): Promise<void>
}

/**
 * Starts a command in a separate session, which Ctrl-C in the terminal does not reach. When this process ends, the
 * command is killed.
 *
 * @param folder - folder that is removed when the command ends, for any reason
 */
export function startSupervised(folder: string, command: readonly string[]): SupervisedProcess {
  const shell = spawn('/bin/sh', ['-c', SUPERVISOR, 'supervisor', folder, ...command], {
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  const lifeline = shell.stdin as Socket
  const output = shell.stderr as Socket
  const ended = new AbortController()
  let lastOutput = ''
  output.setEncoding('utf8').on('data', (text: string) => {
    lastOutput += text
  })
  lifeline.on('error', () => {})
  shell.on('error', (cause) => ended.abort(cause))
  shell.on('exit', () => {
    if (!existsSync(folder)) return
    // The shell was killed before it could clean up. The processes that it started still hold its error output.
    lastOutput = `The shell that supervised it was killed.\n${endOfLog(folder)}`
    killGroup(shell.pid)
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
  })
  shell.on('close', () => {
    lifeline.destroy()
    ended.abort(new Error(lastOutput.trim()))
  })

  return {
    ended: ended.signal,
    unref() {
      for (const handle of [shell, lifeline, output]) handle.unref()
    },
    async stop() {
      if (ended.signal.aborted) return
      for (const handle of [shell, output]) handle.ref()
      await new Promise<void>((resolve) => {
        ended.signal.addEventListener('abort', () => resolve(), { once: true })
        lifeline.end()
      })
    },
  }
}

function endOfLog(folder: string): string {
  try {
    return readFileSync(join(folder, 'log'), 'utf8').slice(-LAST_WORDS)
  } catch {
    return ''
  }
}

function killGroup(leader: number | undefined): void {
  try {
    if (leader !== undefined) process.kill(-leader, 'SIGKILL')
  } catch {
    // All of them have ended.
  }
}
