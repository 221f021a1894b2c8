import { MYSQL2_LATEST, MYSQL2_OLDEST, ON_MARIADB } from './adapters.ts'
import { describeFuzz } from './hostile-fuzz.ts'
import { hostileRig } from './hostile-rig.ts'

describeFuzz(
  hostileRig(),
  [
    // 10,000 each in `npm run soak`.
    [MYSQL2_LATEST, 2_000],
    [MYSQL2_OLDEST, 1_000],
    [ON_MARIADB, 2_000],
  ],
  120_000,
)
