import type { CliOutput } from '../output/output.ts'
import { paint } from '../output/style.ts'
import { visible } from '../output/visible.ts'
import type { TokenExplanation } from './explain-token.ts'

const NAME_WIDTH = 13

/** Returns the lines that show an explanation at the time `nowMs`. */
export function formatExplanation(
  { token, problems }: TokenExplanation,
  nowMs: number,
  output: CliOutput,
): string {
  const lines: string[] = []
  const line = (name: string, text: string): void => void lines.push(name.padEnd(NAME_WIDTH) + visible(text))
  if (token !== undefined) {
    const { hostname, port, region, user, accessKeyEndsIn, hasSessionToken, signedAt, expiresAt } = token
    line('host', `${hostname}:${port}`)
    line('region', region ?? 'none')
    line('user', user)
    line('access key', `ends in ${accessKeyEndsIn}${hasSessionToken ? ', temporary credentials' : ''}`)
    line('signed at', `${signedAt.toISOString()}, ${distance(signedAt, nowMs)}`)
    const why = hasSessionToken ? '; earlier if the credentials that signed it expire first' : ''
    line('expires at', `${expiresAt.toISOString()}, ${distance(expiresAt, nowMs)}${why}`)
  }
  for (const problem of problems)
    lines.push(paint(output, 'red', 'rejected'.padEnd(NAME_WIDTH)) + visible(problem))
  if (problems.length === 0)
    line('verdict', 'well formed and live. Its signature can be checked by the server alone.')
  return lines.map((text) => `${text}\n`).join('')
}

function distance(at: Date, nowMs: number): string {
  const seconds = Math.round((at.getTime() - nowMs) / 1000)
  const amount =
    Math.abs(seconds) < 120 ? `${Math.abs(seconds)} s` : `${Math.round(Math.abs(seconds) / 60)} min`
  return seconds <= 0 ? `${amount} ago` : `in ${amount}`
}
