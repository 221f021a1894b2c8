import { spawn } from 'node:child_process'
import { once } from 'node:events'

/**
 * Shell script that outlives this process where it is killed. Its standard input is a pipe that this process holds: the
 * first line is the process id of the command, and the line `end` means that the command ended. If the pipe ends
 * without that line, this process was killed. The script ignores the signals of a terminal, which are for the command.
 */
const SCRIPT = `
trap '' HUP INT QUIT TERM
if read -r pid; then
  [ "$pid" = end ] && exit
  read -r line && exit
  kill "$pid" 2>/dev/null
fi
rm -rf "$1"
`

/** Guard of a command and its folder. */
export interface Guard {
  /** Names the process of the command. */
  watch(pid: number): void
  /** Ends the guard and leaves command and folder untouched. */
  stop(): Promise<void>
}

/**
 * Ties a command and a folder to this process. If the process is killed, by SIGKILL as well, the command gets SIGTERM
 * and the folder is removed. Does nothing where there is no `/bin/sh`.
 */
export function startGuard(folder: string): Guard {
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'aurora-iam-guard', folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  // Without a shell, or with one that was killed, there is no guard.
  shell.on('error', () => {})
  shell.stdin.on('error', () => {})
  return {
    watch(pid) {
      shell.stdin.write(`${pid}\n`)
    },
    async stop() {
      if (shell.pid === undefined || shell.exitCode !== null || shell.signalCode !== null) return
      const ended = once(shell, 'exit')
      shell.stdin.end('end\n')
      await ended
    },
  }
}
