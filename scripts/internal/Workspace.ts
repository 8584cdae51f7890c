/**
 * Where the repository is, and how its scripts start the tools installed in it.
 *
 * @since 0.1.0
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

/** The root of the repository. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** The path of a tool's JavaScript entry point inside `node_modules`, to be run by the Node that runs this script. */
export const tool = (path: string): string => join(root, "node_modules", path)

const temporaryPrefix = "pillivery-test-"

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/**
 * Makes a temporary folder that carries our process id in its name, and removes those whose process is gone: a run that
 * was killed outright could not clean up after itself.
 */
export const makeTemporaryFolder = (parent: string): string => {
  for (const name of readdirSync(parent)) {
    const pid = name.startsWith(temporaryPrefix) ? Number.parseInt(name.slice(temporaryPrefix.length), 10) : Number.NaN
    if (!Number.isNaN(pid) && !isAlive(pid)) rmSync(join(parent, name), { recursive: true, force: true })
  }
  return mkdtempSync(join(parent, `${temporaryPrefix}${process.pid}-`))
}
