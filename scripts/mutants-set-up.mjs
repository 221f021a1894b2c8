// Runs before each file of tests, all of which share a process here.
import { createRequire } from 'node:module'

// The first test that signs would load the AWS SDK, which takes longer than its time limit on a busy machine.
createRequire(new URL('../packages/core/package.json', import.meta.url))('@aws-sdk/rds-signer')

// A spy on a moved timer stays in place of the real one, and no timer of a later file would run.
const key = Symbol.for('timers of the process')
globalThis[key] ??= { setTimeout, clearTimeout, setInterval, clearInterval }
Object.assign(globalThis, globalThis[key])
