import { setTimeout as sleep } from 'node:timers/promises'
import type { AuthToken } from '@aurora-iam/core'
import type { CliOutput } from '../output/output.ts'
import { removeFile, replaceFile } from '../output/replace-file.ts'

/** Time from the replacement of a token to its end, in milliseconds: a reader has time to use the old one. */
const REFRESH_BEFORE_MS = 120_000

/** Pause, in milliseconds, while the cache still returns the token that is in the file. Also the first backoff. */
const ASK_AGAIN_MS = 1_000

/** The longest pause after a failure, in milliseconds. */
const LONGEST_BACKOFF_MS = 60_000

/** Options of {@link watchToken}. */
export interface WatchOptions {
  readonly path: string
  readonly getToken: () => Promise<AuthToken>
  readonly output: CliOutput
  /** Ends the watch. */
  readonly signal: AbortSignal
  /** Waits; tests replace it. @defaultValue a timer */
  readonly wait?: (milliseconds: number, signal: AbortSignal) => Promise<unknown>
}

/**
 * Keeps a live token in a file until `signal` aborts, then removes the file.
 *
 * A failure is reported and tried again with exponential backoff, and the file keeps its last token meanwhile.
 *
 * @throws the first failure, if there was no token yet: a wrong path or missing credentials end the command
 */
export async function watchToken(options: WatchOptions): Promise<void> {
  const { path, getToken, output, signal, wait = pause } = options
  let written: string | undefined
  let failures = 0
  try {
    while (!signal.aborted) {
      let nextMs: number
      try {
        const token = await getToken()
        if (token.value !== written) {
          await replaceFile(path, token.value)
          written = token.value
          output.error(`token written to ${path}, expires at ${token.expiresAt.toISOString()}\n`)
        }
        failures = 0
        nextMs = Math.max(token.expiresAt.getTime() - Date.now() - REFRESH_BEFORE_MS, ASK_AGAIN_MS)
      } catch (error) {
        if (written === undefined) throw error
        nextMs = Math.min(ASK_AGAIN_MS * 2 ** failures++, LONGEST_BACKOFF_MS)
        output.error(`aurora-iam: ${(error as Error).message} Next try in ${nextMs / 1000} s.\n`)
      }
      await wait(nextMs, signal)
    }
  } finally {
    if (written !== undefined) await removeFile(path)
  }
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => {})
}
