/**
 * `npm run bench -- NAME`: runs `bench/NAME.ts`. The last line of every benchmark is one JSON object.
 *
 * @since 0.1.0
 */
import { existsSync, globSync } from "node:fs"
import { basename, join } from "node:path"
import { pathToFileURL } from "node:url"
import { Failure, runMain } from "./internal/Failure.ts"
import { root } from "./internal/Workspace.ts"

await runMain(async () => {
  const [name = "", ...rest] = process.argv.slice(2)
  const path = join(root, "bench", `${name}.ts`)
  if (!/^[\w-]+$/.test(name) || !existsSync(path)) {
    const names = globSync("bench/*.ts", { cwd: root }).map((file) => basename(file, ".ts"))
    throw new Failure(`usage: npm run bench -- NAME, where NAME is one of: ${names.sort().join(", ") || "(none yet)"}`)
  }
  process.argv = [process.argv[0] ?? "node", path, ...rest]
  await import(pathToFileURL(path).href)
  return Number(process.exitCode ?? 0)
})
