// Prints the files that are loaded by the import of the package in the argument, and by its first token. It is signed
// with the credentials of the environment.
import { createRequire, register } from 'node:module'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'

const { port1, port2 } = new MessageChannel()
const hooks = `
  let port
  export const initialize = (data) => { port = data.port }
  export const load = (url, context, next) => { port.postMessage(url); return next(url, context) }`
register(`data:text/javascript,${encodeURIComponent(hooks)}`, {
  data: { port: port2 },
  transferList: [port2],
})
const { cache } = createRequire(import.meta.url)
const files = new Set()

/** Returns the files so far: ES modules by the hook, what they `require` by its cache. */
function loaded() {
  for (let next = receiveMessageOnPort(port1); next; next = receiveMessageOnPort(port1))
    files.add(next.message)
  return [...files, ...Object.keys(cache)]
}

const { createAuroraIam } = await import(process.argv[2])
const atImport = loaded()
const iam = createAuroraIam()
const beforeToken = loaded()
await iam.token({
  hostname: 'db.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com',
  port: 3306,
  username: 'app',
})
const afterToken = loaded()
process.stdout.write(JSON.stringify({ atImport, beforeToken, afterToken, imported: [...files] }))
port1.close()
