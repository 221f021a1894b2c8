import { spawn } from 'node:child_process'
import { once } from 'node:events'

/**
 * Shell script that outlives this process where it is killed. Its standard input is a pipe that this process holds: a
 * line on it says that all went well, and its end without a line that this process is gone. The signals of a terminal
 * and of a group are for the command.
 */
const SCRIPT = `
trap '' HUP INT QUIT TERM
read -r line && exit
kill "$1" 2>/dev/null
rm -rf "$2"
`

/**
 * Ties a command and a folder to the life of this process, however that ends, SIGKILL included: the command then gets
 * SIGTERM, and the folder is removed. Does nothing on a system without a shell.
 *
 * @param pid - The process of the command.
 * @returns the function that ends the guard and leaves both untouched
 */
export function startGuard(pid: number, folder: string): () => Promise<void> {
  if (process.platform === 'win32') return async () => {}
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'aurora-iam-guard', String(pid), folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  // There is no shell, or it was killed: there is no guard then.
  shell.on('error', () => {})
  shell.stdin.on('error', () => {})
  return async () => {
    if (shell.pid === undefined || shell.exitCode !== null || shell.signalCode !== null) return
    const ended = once(shell, 'exit')
    shell.stdin.end('end\n')
    await ended
  }
}
