import { MYSQL2_OLDEST, ON_MARIADB, OVER_MYSQL2 } from './adapters.ts'
import { describeCuts } from './handshake-cuts.ts'
import { describeFuzz } from './hostile-fuzz.ts'
import { hostileRig } from './hostile-rig.ts'

const rig = hostileRig()
const TIMEOUT_MS = 5 * 60_000

describeFuzz(
  rig,
  [MYSQL2_OLDEST, ...OVER_MYSQL2, ON_MARIADB].map((harness) => [harness, 10_000] as const),
  TIMEOUT_MS,
)
describeCuts(
  rig,
  [MYSQL2_OLDEST, ...OVER_MYSQL2, ON_MARIADB].map((harness) => [harness, 1] as const),
  TIMEOUT_MS,
)
