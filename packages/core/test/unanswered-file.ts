import { execFileSync } from 'node:child_process'
import { constants } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { vi } from 'vitest'

/**
 * Creates a file whose read is not answered: a pipe that nothing writes to blocks a thread of libuv, as a file system
 * that does not answer does. Returns a function that answers the read, once it has begun, and removes the file.
 */
export function createUnansweredFile(path: string): () => Promise<void> {
  execFileSync('mkfifo', [path])
  return async () => {
    // A pipe can be opened so only while another end reads it.
    const pipe = await vi.waitFor(() => open(path, constants.O_WRONLY | constants.O_NONBLOCK), 10_000)
    await rm(path)
    await pipe.close()
  }
}
