import mysql from 'mysql2/promise'
import mysql315 from 'mysql2-3.15/promise'
import mysql322 from 'mysql2-3.22/promise'
import { describeAdapter } from '../conformance/index.ts'
import { type Mysql2Promise, mysql2Harness } from './harness.ts'

// The oldest that is supported, whose promises reject with a copy of the code and message of what went wrong; the
// first line that refuses clear passwords by default; and the latest.
describeAdapter(mysql2Harness('mysql2 3.15.3', mysql315 as unknown as Mysql2Promise, false))
describeAdapter(mysql2Harness('mysql2 3.22', mysql322 as unknown as Mysql2Promise, true))
describeAdapter(mysql2Harness('mysql2 latest', mysql, true), { atOnce: 500 })
