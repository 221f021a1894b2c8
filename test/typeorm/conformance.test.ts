import { describeAdapter } from '../conformance/index.ts'
import { typeormHarness } from './harness.ts'
import { VERSIONS } from './support.ts'

for (const version of VERSIONS) describeAdapter(typeormHarness(version))
