import { createHash } from 'node:crypto'
import { CommandError } from '../options/command-error.ts'

/** Most bytes of a file. The bundle of all Regions has about 170 KB. */
const MAX_BYTES = 4 * 1024 * 1024

const TIMEOUT_MS = 30_000

/**
 * Fetches a bundle over HTTPS.
 *
 * @param sha256 - Digest of the file in hexadecimal digits, if it is pinned.
 * @throws {@link CommandError} for a file that cannot be fetched, is too long, or has another digest
 */
export async function fetchBundle(url: string, sha256: string | undefined): Promise<string> {
  let bytes: Buffer
  try {
    // A redirect could lead away from HTTPS.
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) })
    if (!response.ok)
      throw new CommandError(`${url} answers HTTP ${response.status}. Check the Region, or give --url.`)
    bytes = await readBody(response)
  } catch (cause) {
    if (cause instanceof CommandError) throw cause
    const { name, cause: reason } = cause as Error & { cause?: { code?: string; message?: string } }
    const why =
      name === 'TimeoutError' ? `no answer in ${TIMEOUT_MS} ms` : (reason?.code ?? reason?.message ?? name)
    throw new CommandError(
      `${url} cannot be fetched (${why}). Give --url for a mirror that this machine reaches.`,
      {
        cause,
      },
    )
  }
  const digest = createHash('sha256').update(bytes).digest('hex')
  if (sha256 !== undefined && digest !== sha256.toLowerCase().replaceAll(':', ''))
    throw new CommandError(`--sha256: the file has another digest, ${digest}. Nothing was written.`)
  return bytes.toString('utf8')
}

async function readBody(response: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > MAX_BYTES)
      throw new CommandError(`The file has more than ${MAX_BYTES} bytes. Nothing was written.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
