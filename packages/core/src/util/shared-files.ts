import { readFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { AuroraIamError } from '../errors.ts'
import { monotonicMs } from './monotonic-ms.ts'

/** The read that is under way, and when it began, on the monotonic clock. */
let reading: { readonly done: Promise<void>; readonly startedAt: number } | undefined

/**
 * Waits until the AWS shared files can be read. The AWS SDK reads both at once with each call, and on a file system
 * that does not answer each read blocks one of libuv's four threads, with all file and DNS calls of the process behind
 * them. Here one read at a time finds that out, for the whole process, before the SDK reads.
 *
 * @param timeoutMs - a read that is under way for so long already is not waited for
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_CREDENTIALS_TIMEOUT`
 * @see https://nodejs.org/api/cli.html#uv_threadpool_sizesize
 */
export function awaitSharedFiles(timeoutMs: number): Promise<void> {
  if (reading && monotonicMs() - reading.startedAt >= timeoutMs) return Promise.reject(unresponsive())
  reading ??= {
    startedAt: monotonicMs(),
    done: readBoth().finally(() => {
      reading = undefined
    }),
  }
  return reading.done
}

// https://docs.aws.amazon.com/sdkref/latest/guide/file-location.html
async function readBoth(): Promise<void> {
  const { AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE } = process.env
  for (const path of [
    AWS_CONFIG_FILE || '~/.aws/config',
    AWS_SHARED_CREDENTIALS_FILE || '~/.aws/credentials',
  ]) {
    // As the SDK resolves it.
    const resolved = path.startsWith('~/') ? join(await homeFolder(), path.slice(2)) : path
    // A file that is missing or cannot be read is an answer: the SDK reports it.
    await readFile(resolved).catch(() => undefined)
  }
}

/**
 * Returns the home folder, by the rule of the SDK's `getHomeDir`. The module of that is not loaded for it: to find the
 * names of its exports, Node 20 takes a third of the start of a program.
 */
async function homeFolder(): Promise<string> {
  const { HOME, USERPROFILE, HOMEPATH, HOMEDRIVE = `C:${sep}` } = process.env
  if (HOME || USERPROFILE) return (HOME || USERPROFILE) as string
  return HOMEPATH ? `${HOMEDRIVE}${HOMEPATH}` : (await import('node:os')).homedir()
}

function unresponsive(): AuroraIamError {
  return new AuroraIamError(
    'ERR_AURORA_IAM_CREDENTIALS_TIMEOUT',
    'credentials: an earlier read of the AWS shared files (AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE, ~/.aws) has not ' +
      'been answered, so they are not read again. Check the file system that they are on.',
    { option: 'credentials' },
  )
}
