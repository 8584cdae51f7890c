/**
 * Writes the generated files of the repository, or with `--check` says which of them are stale.
 *
 * They are the pages of state machines, of the billing calendar, of the provider's codes and of the invariants, the HTTP contract, and the
 * `exports` map of each package: npm has no reliable wildcard (attw cannot check one), so every public module is listed by name. A module is
 * public when it is under `src`, not under a folder called `internal` and not an entry point (`main.ts`, `bin/`).
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

const manifests = (): ReadonlyArray<Generated> =>
  readdirSync(join(root, "packages"))
    .filter((folder) => existsSync(join(root, "packages", folder, "package.json")))
    .sort()
    .map(manifestOf)

// Imported only once the manifests are right: these resolve the packages' own modules through them.
const documents = async (): Promise<ReadonlyArray<Generated>> => {
  const pages = [
    await import("./internal/StateMachines.ts"),
    await import("./internal/BillingCalendarPage.ts"),
    await import("./internal/ProviderCodesPage.ts"),
    await import("./internal/InvariantsPage.ts"),
    await import("./internal/BillingCliPage.ts"),
    await import("./internal/OpenApiFile.ts")
  ]
  return pages.map(({ generate, path }) => ({ path, content: generate() }))
}

const isStale = ({ content, path }: Generated): boolean => !existsSync(path) || readFileSync(path, "utf8") !== content

const settle = (generated: ReadonlyArray<Generated>): void => {
  for (const { content, path } of generated.filter(isStale)) {
    if (process.argv.includes("--check")) {
      console.error(`${relative(root, path)} is stale: run \`npm run codegen\``)
      process.exitCode = 1
    } else {
      writeFileSync(path, content)
      console.log(`wrote ${relative(root, path)}`)
    }
  }
}

settle(manifests())
settle(await documents())
