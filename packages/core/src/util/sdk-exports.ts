/**
 * Returns the exports of a module of the AWS SDK, for every dynamic import of one. The modules are CommonJS: Node adds
 * `default` to their names, and a bundle that esbuild splits into ES chunks has `default` alone.
 *
 * @throws Error with the reason for which the module cannot be loaded, such as a bundle that leaves it out
 */
export async function sdkExports<Exports extends object>(loading: Promise<Exports>): Promise<Exports> {
  const loaded = await loading.catch((cause) => {
    // Jest without `--experimental-vm-modules` rejects with an error of another realm.
    throw new Error(`the AWS SDK cannot be loaded: ${cause?.message ?? cause}`, { cause })
  })
  const names = Object.keys(loaded)
  return names.length === 1 && 'default' in loaded ? (loaded.default as Exports) : loaded
}
