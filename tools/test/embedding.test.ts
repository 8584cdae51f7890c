/**
 * The packages as somebody else gets them: built, packed, and installed by npm in a folder that knows nothing of this
 * workspace. There the examples must compile and run, every entry point must be found, and nothing else.
 *
 * `adapters-memory` comes along because a use case without adapters runs nothing.
 */
import { cpSync, globSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { publint } from "publint"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { findProgram, run } from "../../scripts/internal/Process.ts"
import { makeTemporaryFolder, root, tool } from "../../scripts/internal/Workspace.ts"

const buildTimeoutMillis = 120_000
const packTimeoutMillis = 30_000
const installTimeoutMillis = 120_000
const attwTimeoutMillis = 60_000
const compileTimeoutMillis = 60_000
const nodeTimeoutMillis = 30_000
const setupTimeoutMillis = buildTimeoutMillis + packTimeoutMillis + installTimeoutMillis

/** The part of a package.json that is read here. */
interface Manifest {
  readonly name: string
  readonly version: string
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string }>>
}

const manifestOf = (folder: string): Manifest => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))

/** A package of the workspace, and what `npm pack` made of it. */
interface Packed {
  readonly folder: string
  readonly manifest: Manifest
  /** What its importers write. */
  readonly entries: ReadonlyArray<string>
  readonly tarball: string
}

const temporary = realpathSync(makeTemporaryFolder(tmpdir()))
const project = join(temporary, "project")

const packages: ReadonlyArray<Packed> = ["domain", "application", "adapters-memory"].map((name) => {
  const folder = join(root, "packages", name)
  const manifest = manifestOf(folder)
  return {
    folder,
    manifest,
    entries: Object.keys(manifest.exports).map((path) => `${manifest.name}${path.slice(1)}`),
    tarball: join(temporary, `pillivery-${name}-${manifest.version}.tgz`)
  }
})

/** The shell's variables without those by which npm, vitest or a debugger would tell a child where it comes from. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) =>
      !/^(?:npm_(?:package|lifecycle|command)|npm_config_local_prefix|VITEST|NODE_(?:ENV|OPTIONS)|INIT_CWD)/.test(name)
  )
)

/** Runs a command and answers its standard output; a command that fails, fails the test with what it said. */
const succeed = async (
  cwd: string,
  command: ReadonlyArray<string>,
  timeoutMillis: number,
  program = process.execPath
): Promise<string> => {
  const finished = await run(program, command, { cwd, env: environment, timeoutMillis })
  assert.strictEqual(finished.code, 0, `${command.join(" ")}\n${finished.output}`)
  return finished.stdout
}

const npm = (cwd: string, args: ReadonlyArray<string>, timeoutMillis: number): Promise<string> => {
  const program = findProgram("npm")
  assert.isDefined(program, "npm is not in the PATH")
  return succeed(cwd, args, timeoutMillis, program)
}

const install = (...specifiers: ReadonlyArray<string>): Promise<string> =>
  npm(project, ["install", "--prefer-offline", "--no-audit", "--no-fund", ...specifiers], installTimeoutMillis)

/** The version of a dependency that the workspace itself is tested with. */
const sameVersion = (name: string): string => `${name}@${manifestOf(join(root, "node_modules", name)).version}`

/** The names of everything installed in the project. */
const installed = (): ReadonlyArray<string> => {
  const lockfile: { readonly packages: Readonly<Record<string, unknown>> } = JSON.parse(
    readFileSync(join(project, "package-lock.json"), "utf8")
  )
  return Object.keys(lockfile.packages)
    .filter((path) => path !== "")
    .sort()
}

/** What the bundle of the domain is made of beside its entry points. */
const chunks: Readonly<Record<string, ReadonlyArray<string>>> = {
  "@pillivery/domain": ["dist/domain.js", "dist/rolldown-runtime.js"]
}

beforeAll(async () => {
  await succeed(
    root,
    ["scripts/launch.js", "scripts/build.ts", ...packages.map(({ folder }) => folder)],
    buildTimeoutMillis
  )
  const folders = packages.map(({ folder }) => `./packages/${basename(folder)}`)
  await npm(root, ["pack", "--silent", "--pack-destination", temporary, ...folders], packTimeoutMillis)
}, setupTimeoutMillis)

afterAll(() => rmSync(temporary, { recursive: true, force: true }))

describe("a tarball", () => {
  for (const { entries, folder, manifest, tarball } of packages) {
    it(`of ${manifest.name} holds what its modules make, and what a reader needs`, async () => {
      const listing = await succeed(temporary, ["tzf", tarball], packTimeoutMillis, "tar")
      const files = listing
        .trim()
        .split("\n")
        .map((file) => file.replace(/^package\//, ""))
      const sources = globSync("src/**/*.ts", { cwd: folder }).map((file) => file.replaceAll("\\", "/"))
      const built = sources.flatMap((file) => {
        const stem = file.replace(/^src/, "dist").replace(/\.ts$/, "")
        return [`${stem}.js`, `${stem}.d.ts`, `${stem}.d.ts.map`]
      })
      const expected = ["CHANGELOG.md", "LICENSE", "README.md", "package.json", ...sources, ...built]
      // Files that only name the exports of another one have no lines to map.
      const [maps, others] = [
        files.filter((file) => file.endsWith(".js.map")),
        files.filter((file) => !file.endsWith(".js.map"))
      ]
      assert.deepStrictEqual([...others].sort(), [...expected, ...(chunks[manifest.name] ?? [])].sort())
      assert.isNotEmpty(maps)
      assert.deepStrictEqual(
        maps.filter((map) => !files.includes(map.slice(0, -".map".length))),
        []
      )
      const targets = Object.values(manifest.exports).flatMap((target) => [target.types, target.default])
      assert.deepStrictEqual(
        targets.filter((target) => !files.includes(target.slice("./".length))),
        []
      )
      assert.strictEqual(targets.length, 2 * entries.length)
    })

    it(`of ${manifest.name} passes publint`, async () => {
      const { buffer, byteLength, byteOffset } = readFileSync(tarball)
      const { messages } = await publint({
        pack: { tarball: buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer },
        strict: true
      })
      assert.deepStrictEqual(messages, [])
    })

    it(
      `of ${manifest.name} has the right types at each of its ${entries.length} entry points`,
      async () => {
        const options = [
          "--profile",
          "esm-only",
          "--no-definitely-typed",
          "--format",
          "ascii",
          "--no-emoji",
          "--no-color"
        ]
        await succeed(
          temporary,
          [
            tool("@arethetypeswrong/cli/dist/index.js"),
            tarball,
            ...options,
            "--entrypoints",
            ...Object.keys(manifest.exports)
          ],
          attwTimeoutMillis
        )
      },
      attwTimeoutMillis
    )
  }
})

describe("a project that installs the tarballs", () => {
  const [domain, ...others] = packages
  const examples = globSync("docs/examples/*.ts", { cwd: root }).sort()
  const everyEntry = packages.flatMap(({ entries }) => entries)

  /** What looks like a part of the packages and is not offered. */
  const privatePaths = [
    "@pillivery/domain",
    "@pillivery/domain/dist/Won.js",
    "@pillivery/domain/src/Won.ts",
    "@pillivery/domain/Won.js",
    "@pillivery/application",
    "@pillivery/application/Payments",
    "@pillivery/adapters-memory/internal/Table"
  ]

  beforeAll(async () => {
    mkdirSync(project)
    writeFileSync(join(project, "package.json"), JSON.stringify({ name: "shop", private: true, type: "module" }))
    for (const example of examples) cpSync(join(root, example), join(project, basename(example)))
    const imports = everyEntry.map((entry, index) => `export type * as Entry${index} from "${entry}"`)
    const refusals = privatePaths.map(
      (path, index) => `// @ts-expect-error: not exported\nexport type * as Private${index} from "${path}"`
    )
    writeFileSync(join(project, "entries.ts"), [...imports, ...refusals, ""].join("\n"))
  })

  it(
    "gets nothing but effect along with the domain",
    async () => {
      assert.isDefined(domain)
      await install(domain.tarball, sameVersion("effect"))
      assert.deepStrictEqual(installed(), ["node_modules/@pillivery/domain", "node_modules/effect"])
    },
    installTimeoutMillis
  )

  it(
    "shares one copy of the domain and of effect among all of them",
    async () => {
      await install(...others.map(({ tarball }) => tarball), sameVersion("fast-check"), sameVersion("@types/node"))
      const shared = installed().filter((path) => /\/(?:effect|@pillivery\/[\w-]+)$/.test(path))
      assert.deepStrictEqual(shared, [
        "node_modules/@pillivery/adapters-memory",
        "node_modules/@pillivery/application",
        "node_modules/@pillivery/domain",
        "node_modules/effect"
      ])
    },
    installTimeoutMillis
  )

  /** Both ways in which a project of today finds modules; TypeScript 6 is slow at checking what it does not need to. */
  const compilations = [
    { compiler: "@typescript/native/bin/tsc", module: "nodenext", moduleResolution: "nodenext", skipLibCheck: false },
    { compiler: "@typescript/native/bin/tsc", module: "preserve", moduleResolution: "bundler", skipLibCheck: false },
    { compiler: "typescript/lib/tsc.js", module: "nodenext", moduleResolution: "nodenext", skipLibCheck: true }
  ]
  for (const [index, { compiler, ...resolution }] of compilations.entries()) {
    const { version } = manifestOf(tool(compiler.replace(/\/(?:bin|lib)\/.*/, "")))

    it(
      `type-checks with TypeScript ${version} and moduleResolution ${resolution.moduleResolution}`,
      async () => {
        const config = `tsconfig.${index}.json`
        const compilerOptions = { ...resolution, target: "es2024", strict: true, noEmit: true, types: ["node"] }
        writeFileSync(join(project, config), JSON.stringify({ compilerOptions, include: ["*.ts"] }))
        await succeed(project, [tool(compiler), "-p", config, "--pretty", "false"], compileTimeoutMillis)
      },
      compileTimeoutMillis
    )
  }

  for (const example of examples) {
    it(
      `runs ${example} with plain node`,
      async () => {
        await succeed(project, [basename(example)], nodeTimeoutMillis)
      },
      nodeTimeoutMillis
    )
  }

  it(
    "loads every entry point from its built file, and needs a test runner for contract suites alone",
    async () => {
      const script = `
        const failed = {}
        for (const entry of ${JSON.stringify(everyEntry)}) {
          if (!import.meta.resolve(entry).includes("/dist/")) failed[entry] = "not built"
          await import(entry).catch((error) => { failed[entry] = error.message })
        }
        console.log(JSON.stringify(failed))`
      const output = await succeed(project, ["--input-type=module", "--eval", script], nodeTimeoutMillis)
      const failed: Readonly<Record<string, string>> = JSON.parse(output)
      const unexpected = Object.entries(failed).filter(
        ([entry, message]) =>
          !entry.startsWith("@pillivery/application/testing/") ||
          !message.startsWith("Cannot find package '@effect/vitest'")
      )
      assert.deepStrictEqual(unexpected, [])
    },
    nodeTimeoutMillis
  )

  it(
    "cannot import what is not exported",
    async () => {
      const script = `
        const codes = []
        for (const path of ${JSON.stringify(privatePaths)}) {
          codes.push(await import(path).then(() => "imported", (error) => error.code))
        }
        console.log(JSON.stringify(codes))`
      const output = await succeed(project, ["--input-type=module", "--eval", script], nodeTimeoutMillis)
      assert.deepStrictEqual(
        JSON.parse(output),
        privatePaths.map(() => "ERR_PACKAGE_PATH_NOT_EXPORTED")
      )
    },
    nodeTimeoutMillis
  )
})
