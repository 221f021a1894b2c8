export { createAuroraIam, withAuroraIam } from '@aurora-iam/mysql2'
