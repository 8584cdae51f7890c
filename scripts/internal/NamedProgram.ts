/**
 * Programs of one folder of the repository, run by their name.
 *
 * @since 0.1.0
 */
import { existsSync, globSync } from "node:fs"
import { basename, join } from "node:path"
import { pathToFileURL } from "node:url"
import { Failure, runMain } from "./Failure.ts"
import { root } from "./Workspace.ts"

/** Runs `FOLDER/NAME.ts`, where NAME is the first argument of this process; the program gets the others. */
export const runNamed = (options: { readonly folder: string; readonly script: string }): Promise<void> =>
  runMain(async () => {
    const [name = "", ...rest] = process.argv.slice(2)
    const path = join(root, options.folder, `${name}.ts`)
    if (!/^[\w-]+$/.test(name) || !existsSync(path)) {
      const names = globSync(`${options.folder}/*.ts`, { cwd: root }).map((file) => basename(file, ".ts"))
      throw new Failure(
        `usage: npm run ${options.script} -- NAME, where NAME is one of: ${names.sort().join(", ") || "(none yet)"}`
      )
    }
    process.argv = [process.argv[0] ?? "node", path, ...rest]
    await import(pathToFileURL(path).href)
    return Number(process.exitCode ?? 0)
  })
