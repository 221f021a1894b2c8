import { MYSQL2_LATEST, MYSQL2_OLDEST, ON_MARIADB } from './adapters.ts'
import { describeCuts } from './handshake-cuts.ts'
import { hostileRig } from './hostile-rig.ts'

describeCuts(
  hostileRig(),
  [
    [MYSQL2_LATEST, 1],
    // Those that resume no TLS sessions take longer over each handshake: at every byte in `npm run soak`.
    [MYSQL2_OLDEST, 5],
    [ON_MARIADB, 5],
  ],
  60_000,
)
