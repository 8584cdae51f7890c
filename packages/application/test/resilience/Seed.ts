/**
 * The seed of the property tests of this folder, printed so that a failure can be run again.
 *
 * @since 0.1.0
 */

const seedMax = 2 ** 31

const parsed = Number.parseInt(process.env["SEED"] ?? "", 10)

/** Set `SEED` to run the properties with the numbers of an earlier run. */
export const seed = Number.isNaN(parsed) ? Date.now() % seedMax : parsed

/** Prints the seed beside the name of the properties that use it. */
export const announce = (name: string): void => {
  console.info(`${name}: SEED=${seed}`)
}
