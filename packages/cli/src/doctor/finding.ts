import type { CliOutput } from '../output/output.ts'
import { paint } from '../output/style.ts'
import { visible } from '../output/visible.ts'

/** Result of one check of the doctor. */
export interface Finding {
  /** Name of the check, in a word or two. */
  readonly check: string
  /** Verdict. `unknown` is a check that could not run, which is no fault. */
  readonly verdict: 'ok' | 'fail' | 'unknown'
  /** The observation. */
  readonly seen: string
  /** Remedies, a line each. Every finding that fails has some. */
  readonly remedies?: readonly string[]
}

const VERDICT_WIDTH = 9
const CHECK_WIDTH = 13

const FORMATS = { ok: 'green', fail: 'red', unknown: 'yellow' } as const

/**
 * Returns the lines that show a finding.
 *
 * They quote servers and proxies that are not verified, so control characters are escaped.
 */
export function formatFinding(finding: Finding, output: CliOutput): string {
  const { check, verdict, seen, remedies = [] } = finding
  const word = (verdict === 'fail' ? 'FAIL' : verdict).padEnd(VERDICT_WIDTH)
  const margin = ' '.repeat(VERDICT_WIDTH + CHECK_WIDTH)
  const first = paint(output, FORMATS[verdict], word) + visible(`${check.padEnd(CHECK_WIDTH)}${seen}`)
  return [first, ...remedies.map((remedy) => margin + visible(remedy))].map((line) => `${line}\n`).join('')
}
