/**
 * `npm run lock`: refreshes `package-lock.json` and makes it complete for every platform.
 *
 * npm drops an optional dependency from the lockfile when the registry of the moment does not serve it, as mirrors often
 * do with the binaries of other platforms. `npm ci` then refuses the lockfile ("Missing: … from lock file"), here and
 * everywhere. So the dropped ones are written back: exact version, platform from the name, no integrity, since nobody
 * could fetch them. A machine of such a platform gets them from its own registry; all others skip them.
 *
 * @since 0.1.0
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Failure, runMain } from "./internal/Failure.ts"
import { findProgram, lastLines, run } from "./internal/Process.ts"
import { root } from "./internal/Workspace.ts"

const npmTimeoutMillis = 5 * 60_000
const messageLinesMax = 5

interface Entry {
  readonly version?: string
  readonly dev?: boolean
  readonly license?: string
  readonly optional?: boolean
  readonly os?: ReadonlyArray<string>
  readonly cpu?: ReadonlyArray<string>
  readonly libc?: ReadonlyArray<string>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

interface Lockfile {
  packages: Record<string, Entry>
}

/** `@oxlint/binding-linux-arm64-musl` → Linux, arm64, musl: the naming of all packages that are one binary. */
const platformOf = (name: string): Pick<Entry, "os" | "cpu" | "libc"> | undefined => {
  const match =
    /-(android|darwin|freebsd|linux|openharmony|win32)-(arm64|arm|ia32|ppc64|riscv64|s390x|x64)(?:-(\w+))?$/.exec(name)
  if (match === null) return undefined
  const [, os = "", cpu = "", abi = ""] = match
  const libc = os !== "linux" || abi === "" ? {} : { libc: [abi.startsWith("musl") ? "musl" : "glibc"] }
  return { os: [os], cpu: [cpu], ...libc }
}

/** The entries that the lockfile should have and has not. */
const missingEntries = (lockfile: Lockfile): ReadonlyArray<readonly [string, Entry]> =>
  Object.entries(lockfile.packages).flatMap(([path, owner]) =>
    Object.entries(owner.optionalDependencies ?? {}).flatMap(([name, version]) => {
      const place = `node_modules/${name}`
      if (place in lockfile.packages || `${path}/${place}` in lockfile.packages) return []
      const platform = platformOf(name)
      if (platform === undefined || !/^\d+\.\d+\.\d+/.test(version)) {
        throw new Failure(`${path} wants ${name} ${version}, which is neither in the lockfile nor a platform's binary`)
      }
      const dev = owner.dev === true ? { dev: true } : {}
      const license = owner.license === undefined ? {} : { license: owner.license }
      return [[place, { version, ...platform, ...dev, ...license, optional: true }] as const]
    })
  )

await runMain(async () => {
  const npm = findProgram("npm")
  if (npm === undefined) throw new Failure("npm not found")
  const finished = await run(npm, ["install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: root,
    timeoutMillis: npmTimeoutMillis
  })
  if (finished.code !== 0) throw new Failure(`npm install failed: ${lastLines(finished.output, messageLinesMax)}`)
  const path = join(root, "package-lock.json")
  const lockfile: Lockfile = JSON.parse(readFileSync(path, "utf8"))
  const missing = missingEntries(lockfile)
  const entries = { ...lockfile.packages, ...Object.fromEntries(missing) }
  lockfile.packages = Object.fromEntries(Object.entries(entries).sort(([a], [b]) => a.localeCompare(b, "en")))
  writeFileSync(path, JSON.stringify(lockfile, null, 2) + "\n")
  console.log(`package-lock.json: ${missing.length} entries of other platforms added`)
  return 0
})
