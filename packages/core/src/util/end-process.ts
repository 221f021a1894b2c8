import { readFileSync } from 'node:fs'

/**
 * Sends SIGTERM to a process and, on Linux, to the processes that it started: Node runs a command by a shell, and the
 * shell of Debian stays in front of the command.
 *
 * @see https://man7.org/linux/man-pages/man5/proc_tid_children.5.html
 */
export function endProcess(pid: number): void {
  const children = childrenOf(pid)
  try {
    process.kill(pid)
  } catch {
    // It has ended.
  }
  for (const child of children) endProcess(child)
}

function childrenOf(pid: number): readonly number[] {
  try {
    const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    return list.split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}
