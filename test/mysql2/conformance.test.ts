import mysql from 'mysql2/promise'
import mysql315 from 'mysql2-3.15/promise'
import mysql322 from 'mysql2-3.22/promise'
import { describeAdapter } from '../conformance/index.ts'
import { type Mysql2Promise, mysql2Harness } from './harness.ts'

// The oldest that is supported, the first that refuses clear passwords by itself, and the latest.
describeAdapter(mysql2Harness('mysql2 3.15.3', mysql315 as unknown as Mysql2Promise))
describeAdapter(mysql2Harness('mysql2 3.22', mysql322 as unknown as Mysql2Promise))
describeAdapter(mysql2Harness('mysql2 latest', mysql))
