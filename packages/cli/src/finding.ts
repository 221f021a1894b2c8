/** What one check of the doctor came to. */
export interface Finding {
  /** What was looked at, in a word or two. */
  readonly check: string
  /** `unknown`: it could not be looked at, which is no fault by itself. */
  readonly verdict: 'ok' | 'wrong' | 'unknown'
  /** What was seen. */
  readonly seen: string
  /** What to do about it, a line each. */
  readonly remedies?: readonly string[]
}

const VERDICT_WIDTH = 9
const CHECK_WIDTH = 13

/** The lines that a finding is shown by. */
export function formatFinding({ check, verdict, seen, remedies = [] }: Finding): string {
  const word = verdict === 'wrong' ? 'WRONG' : verdict
  const margin = ' '.repeat(VERDICT_WIDTH + CHECK_WIDTH)
  const lines = [
    `${word.padEnd(VERDICT_WIDTH)}${check.padEnd(CHECK_WIDTH)}${seen}`,
    ...remedies.map((remedy) => `${margin}${remedy}`),
  ]
  return lines.map((line) => `${visible(line)}\n`).join('')
}

/** Servers and proxies are quoted before anybody has verified them: no line break or escape of theirs may reach a terminal. */
function visible(line: string): string {
  return line.replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  )
}
