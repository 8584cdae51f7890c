/**
 * `npm run build [-- FOLDER …]`: each package's `dist`, as it is published; of all packages, or of these and what they need.
 *
 * The compiler emits declarations, and JavaScript a module at a time. The domain's JavaScript is bundled instead: one file
 * holds all of it and each public module only names what it takes from there, because a program that starts pays for each
 * file that Node finds, reads and links.
 *
 * @since 0.1.0
 */
import { existsSync, globSync, rmSync } from "node:fs"
import { join } from "node:path"
import { rolldown } from "rolldown"
import { Failure, runMain } from "./internal/Failure.ts"
import { run } from "./internal/Process.ts"
import { root, tool } from "./internal/Workspace.ts"

const compileTimeoutMillis = 5 * 60_000

/** The package of which JavaScript is bundled, and the file that holds it. */
const domain = join(root, "packages/domain")
const chunkName = "domain"

/** What a deleted module made stays in `dist`, and would be published. */
const removeStale = (): void => {
  for (const file of globSync("packages/*/dist/**/*.{js,d.ts,js.map,d.ts.map}", { cwd: root })) {
    const source = file.replace("/dist/", "/src/").replace(/\.(?:d\.ts|js)(?:\.map)?$/, ".ts")
    if (!existsSync(join(root, source))) rmSync(join(root, file))
  }
}

const compile = async (folders: ReadonlyArray<string>): Promise<void> => {
  const compiler = tool("@typescript/native/bin/tsc")
  const { code, output } = await run(process.execPath, [compiler, "-b", ...folders], {
    cwd: root,
    timeoutMillis: compileTimeoutMillis
  })
  if (code !== 0) throw new Failure(output)
}

const bundleDomain = async (): Promise<void> => {
  const source = join(domain, "src")
  const modules = globSync("**/*.ts", { cwd: source }).map((file) => file.slice(0, -".ts".length))
  const bundle = await rolldown({
    input: Object.fromEntries(modules.map((module) => [module, join(source, `${module}.ts`)])),
    external: /^(?:effect|fast-check)(?:\/|$)/,
    tsconfig: join(domain, "tsconfig.json"),
    treeshake: { moduleSideEffects: false },
    preserveEntrySignatures: "strict"
  })
  await bundle.write({
    dir: join(domain, "dist"),
    format: "esm",
    sourcemap: true,
    comments: false,
    // A class of two modules' name gets another name inside the file; a person who prints its instance should not see that.
    keepNames: true,
    entryFileNames: "[name].js",
    chunkFileNames: "[name].js",
    codeSplitting: { groups: [{ name: chunkName, test: /packages\/domain\/src\/[^/]+$/ }] }
  })
  await bundle.close()
}

await runMain(async () => {
  await compile(process.argv.slice(2))
  removeStale()
  await bundleDomain()
  return 0
})
