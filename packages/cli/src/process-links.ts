import { UsageError } from './options/usage-error.ts'

/** Returns a signal that aborts on the first SIGINT or SIGTERM. */
export function stopSignal(): AbortSignal {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  return stop.signal
}

/**
 * Reads standard input to its end.
 *
 * @throws {@link UsageError} for more than `maxCharacters`
 */
export async function readStandardInput(maxCharacters: number): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += chunk
    if (text.length > maxCharacters)
      throw new UsageError(`Standard input has more than ${maxCharacters} characters. Give one token.`)
  }
  return text
}
