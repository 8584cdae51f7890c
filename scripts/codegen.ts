/**
 * Writes the generated files of the repository, or with `--check` says which of them are stale.
 *
 * Today that is the `exports` map of each package: npm has no reliable wildcard (attw cannot check one), so every public
 * module is listed by name. A module is public when it is under `src`, not under a folder called `internal` and not an
 * entry point (`main.ts`, `bin/`).
 *
 * @since 0.1.0
 */
import { existsSync, globSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import { root } from "./internal/Workspace.ts"

/** One generated file: where it is and what it must contain. */
interface Generated {
  readonly path: string
  readonly content: string
}

/** The condition under which the workspace's own code resolves to its sources instead of to `dist`. */
const sourceCondition = "@pillivery/source"

const isPublic = (module: string): boolean => {
  const segments = module.split("/")
  return !segments.includes("internal") && segments[0] !== "bin" && module !== "main"
}

const manifestOf = (folder: string): Generated => {
  const path = join(root, "packages", folder, "package.json")
  const manifest: Record<string, unknown> = JSON.parse(readFileSync(path, "utf8"))
  const modules = globSync("**/*.ts", { cwd: join(root, "packages", folder, "src") })
    .filter((file) => !file.endsWith(".d.ts"))
    .map((file) => file.replaceAll("\\", "/").slice(0, -".ts".length))
    .filter(isPublic)
    .sort()
  manifest["exports"] = Object.fromEntries(
    modules.map((module) => [
      `./${module}`,
      { [sourceCondition]: `./src/${module}.ts`, types: `./dist/${module}.d.ts`, default: `./dist/${module}.js` }
    ])
  )
  return { path, content: JSON.stringify(manifest, null, 2) + "\n" }
}

const generate = (): ReadonlyArray<Generated> =>
  readdirSync(join(root, "packages"))
    .filter((folder) => existsSync(join(root, "packages", folder, "package.json")))
    .sort()
    .map(manifestOf)

const stale = generate().filter(({ path, content }) => !existsSync(path) || readFileSync(path, "utf8") !== content)

if (process.argv.includes("--check")) {
  for (const { path } of stale) console.error(`${relative(root, path)} is stale: run \`npm run codegen\``)
  if (stale.length > 0) process.exitCode = 1
} else {
  for (const { path, content } of stale) {
    writeFileSync(path, content)
    console.log(`wrote ${relative(root, path)}`)
  }
}
