import { MYSQL2_LATEST, MYSQL2_OLDEST, ON_MARIADB } from './adapters.ts'
import { describeFuzz } from './hostile-fuzz.ts'
import { hostileRig } from './hostile-rig.ts'

describeFuzz(
  hostileRig(),
  [
    [MYSQL2_LATEST, 10_000],
    // 10,000 in `npm run soak`.
    [MYSQL2_OLDEST, 1_000],
    [ON_MARIADB, 10_000],
  ],
  120_000,
)
