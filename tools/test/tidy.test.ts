/**
 * The repository's own rules, about files rather than about code.
 */
import { execFileSync } from "node:child_process"
import { existsSync, globSync, readdirSync, readFileSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "vitest"

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const here = "tools/test/tidy.test.ts"

const isText = (file: string): boolean => /\.(?:[cm]?[jt]s|jsonc?|md|sql|ya?ml|sh|toml|conf|html|css)$/.test(file)

/** The files under version control, or about to be: whatever git does not ignore. */
const files: ReadonlyArray<string> = execFileSync(
  "git",
  ["ls-files", "--cached", "--others", "--exclude-standard", "-z"],
  { cwd: root, encoding: "utf8", maxBuffer: 16_000_000 }
)
  .split("\0")
  .filter((file) => file !== "" && existsSync(join(root, file)) && statSync(join(root, file)).isFile())

const texts = files.filter((file) => (isText(file) || file.startsWith(".ci/")) && file !== here)
const code = texts.filter((file) => /\.[cm]?[jt]s$/.test(file))

/** The lines in which the pattern occurs, as `file:line: text`. */
const linesWith = (pattern: RegExp, among: ReadonlyArray<string>): ReadonlyArray<string> =>
  among.flatMap((file) =>
    readFileSync(join(root, file), "utf8")
      .split("\n")
      .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : []))
  )

const packages = readdirSync(join(root, "packages")).filter((folder) =>
  existsSync(join(root, "packages", folder, "package.json"))
)

describe("tidy", () => {
  it("sees the files of the repository", () => {
    assert.isAbove(texts.length, packages.length)
  })

  it("names no path of somebody's machine", () => {
    assert.deepStrictEqual(linesWith(/(?:^|[\s"'`(=])\/(?:work|home\/\w+|Users\/\w+)\//, texts), [])
  })

  it("names no registry host in the lockfile", () => {
    assert.deepStrictEqual(linesWith(/"resolved": "https?:/, ["package-lock.json"]), [])
  })

  it("does not mention an issue tracker", () => {
    const mention = /\b(?:issue|ticket|PR) ?#\d+|\b(?:JIRA|Linear|Asana|Trello)\b/
    assert.deepStrictEqual(linesWith(mention, texts), [])
  })

  it("leaves nothing to do in comments", () => {
    assert.deepStrictEqual(linesWith(/\b(?:TODO|FIXME|XXX|HACK)\b/, code), [])
  })

  it("focuses and skips no test", () => {
    const tests = code.filter((file) => /\/test\//.test(file))
    const focus = /\b(?:it|test|describe|suite)(?:\.\w+)*\.(?:only|skip|skipIf|runIf|todo|fails)\b/
    assert.deepStrictEqual(linesWith(focus, tests), [])
  })

  it("has no drawer for things without a place", () => {
    const drawer = /(?:^|\/)(?:utils?|common|helpers?|misc)(?:\/|\.ts$)/
    assert.deepStrictEqual(
      files.filter((file) => drawer.test(file)),
      []
    )
    assert.deepStrictEqual(
      files.filter((file) => /^packages\/[^/]+\/src\/(?:.*\/)?(?:index|types)\.ts$/.test(file)),
      []
    )
  })

  it("keeps the impure corners of pure modules out of the domain", () => {
    const domain = code.filter((file) => /^packages\/domain\/src\/(?!testing\/)/.test(file))
    const impure = /\bDateTime\.(?:now|nowUnsafe|nowAsDate)\b|\bwithConstructorDefault\b|\bDateTime\.nowIn\b/
    assert.deepStrictEqual(linesWith(impure, domain), [])
  })

  it("pins Effect packages exactly", () => {
    const manifests = files.filter((file) => /(?:^|\/)package\.json$/.test(file) && !file.startsWith("tools/fixtures/"))
    const loose = manifests.flatMap((file) => {
      const { dependencies = {}, devDependencies = {} }: Record<string, Record<string, string> | undefined> =
        JSON.parse(readFileSync(join(root, file), "utf8"))
      return Object.entries({ ...dependencies, ...devDependencies })
        .filter(([name, range]) => /^(?:effect$|@effect\/)/.test(name) && !/^\d/.test(range))
        .map(([name, range]) => `${file}: ${name} ${range}`)
    })
    assert.deepStrictEqual(loose, [])
  })

  for (const folder of packages) {
    it(`gives ${folder} a LICENSE, a CHANGELOG and a README`, () => {
      for (const name of ["LICENSE", "CHANGELOG.md", "README.md"]) {
        assert.isTrue(existsSync(join(root, "packages", folder, name)), `packages/${folder}/${name}`)
      }
    })
  }

  it("declares in tsconfig what package.json declares", () => {
    const wrong = packages.flatMap((folder) => {
      const read = (path: string): Record<string, Record<string, string> & ReadonlyArray<{ readonly path: string }>> =>
        JSON.parse(readFileSync(join(root, "packages", folder, path), "utf8"))
      const names = Object.keys(read("package.json")["dependencies"] ?? {})
      const declared = names.map((name) => name.replace("@pillivery/", "")).filter((name) => packages.includes(name))
      const referenced = (read("tsconfig.json")["references"] ?? []).map(({ path }) => path.replace("../", ""))
      return [...declared].sort().join() === [...referenced].sort().join() ? [] : [folder]
    })
    assert.deepStrictEqual(wrong, [])
  })

  it("has a fixture tree that nobody else reads", () => {
    assert.isAbove(globSync("tools/fixtures/*/packages/**/*.ts", { cwd: root }).length, 0)
    const readers = ["tsconfig.json", "tsconfig.lint.json"].filter((file) =>
      readFileSync(join(root, file), "utf8").includes("fixtures")
    )
    assert.deepStrictEqual(readers, [])
  })
})
