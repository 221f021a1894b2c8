export { createAuroraIam } from '@aurora-iam/mysql2'
