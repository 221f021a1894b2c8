import type { StsAnswer } from './ask-sts.ts'
import type { Finding } from './finding.ts'

// A smaller difference is that of the network, and of a clock that is kept right.
const TOLERANCE_MS = 60_000

/** Returns the finding about the clock of this machine, by which tokens are dated. */
export function clockFinding({ clockAheadMs }: StsAnswer): Finding {
  const time = new Date().toISOString()
  if (clockAheadMs === undefined) {
    return {
      check: 'clock',
      verdict: 'unknown',
      seen: `it shows ${time}; AWS STS, whose clock is right, gave no answer`,
    }
  }
  const seconds = Math.round(Math.abs(clockAheadMs) / 1_000)
  if (Math.abs(clockAheadMs) < TOLERANCE_MS) {
    return { check: 'clock', verdict: 'ok', seen: `it shows ${time}, ${seconds} s from that of AWS STS` }
  }
  return {
    check: 'clock',
    verdict: 'fail',
    seen: `it shows ${time}, which is ${duration(seconds)} ${clockAheadMs > 0 ? 'ahead of' : 'behind'} that of AWS STS`,
    remedies: [
      'Tokens are dated by it, and good for 15 minutes from then. Set it, and have it kept right:',
      'chronyc makestep (chrony), timedatectl set-ntp true (systemd), w32tm /resync (Windows).',
    ],
  }
}

function duration(seconds: number): string {
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
}
