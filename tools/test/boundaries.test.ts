/**
 * A boundary nobody has seen fail is not a boundary: every rule here rejects its fixture, and clean files pass.
 *
 * The first line of a fixture says what must happen to it. The fixtures mirror the workspace, because rules go by path.
 */
import { execFile } from "node:child_process"
import { globSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, beforeAll, describe, it } from "vitest"

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const outputBytesMax = 16_000_000
const toolTimeoutMillis = 60_000

/** Runs a tool of `node_modules` and parses the JSON it prints; both exit with 1 when they find something. */
const runForJson = (cwd: string, entry: string, args: ReadonlyArray<string>): Promise<unknown> =>
  new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [join(root, "node_modules", entry), ...args],
      { cwd, maxBuffer: outputBytesMax, timeout: toolTimeoutMillis },
      (_, stdout, stderr) => {
        try {
          resolve(JSON.parse(stdout))
        } catch {
          reject(new Error(`${entry} printed no JSON:\n${stdout}\n${stderr}`))
        }
      }
    )
  })

/** The fixtures of a folder with the words on their first line that `pattern` finds. */
const readFixtures = (folder: string, pattern: RegExp): ReadonlyArray<readonly [string, ReadonlyArray<string>]> =>
  globSync("packages/**/*.ts", { cwd: folder })
    .sort()
    .map((file) => {
      const [first = ""] = readFileSync(join(folder, file), "utf8").split("\n")
      return [file, first.replace(/^\/\/ (?:rejected by|breaks:)/, "").match(pattern) ?? []]
    })

const groupRules = (pairs: ReadonlyArray<readonly [string, string]>): ReadonlyMap<string, ReadonlySet<string>> => {
  const rulesByFile = new Map<string, Set<string>>()
  for (const [file, rule] of pairs) rulesByFile.set(file, (rulesByFile.get(file) ?? new Set()).add(rule))
  return rulesByFile
}

const rulesOf = (rulesByFile: ReadonlyMap<string, ReadonlySet<string>>, file: string): ReadonlyArray<string> =>
  [...(rulesByFile.get(file) ?? [])].sort()

describe("lint rules", () => {
  const folder = join(root, "tools/fixtures/lint")
  const fixtures = readFixtures(folder, /\S+\(\S+\)/g)
  let found: ReadonlyMap<string, ReadonlySet<string>> = new Map()

  beforeAll(async () => {
    const report = (await runForJson(folder, "oxlint/bin/oxlint", [
      "--config",
      "fixtures.config.ts",
      "--format",
      "json",
      "packages"
    ])) as { readonly diagnostics: ReadonlyArray<{ readonly filename: string; readonly code: string }> }
    found = groupRules(report.diagnostics.map(({ filename, code }) => [filename, code]))
  }, toolTimeoutMillis)

  for (const [file, expected] of fixtures) {
    it(expected.length === 0 ? `accept ${file}` : `reject ${file} by ${expected.join(" and ")}`, () => {
      assert.deepStrictEqual(rulesOf(found, file), [...expected].sort())
    })
  }

  it("each reject a fixture", () => {
    const plugin = readFileSync(join(root, "tools/oxlint-plugin/plugin.ts"), "utf8")
    const own = [...plugin.matchAll(/^ {4}"([\w-]+)": \w+,?$/gm)].map(([, name]) => `pillivery(${name})`)
    assert.isAbove(own.length, 0)
    const rejected = new Set(fixtures.flatMap(([, rules]) => rules))
    for (const rule of own) assert.isTrue(rejected.has(rule), `${rule} has no fixture`)
  })
})

describe("rules of the module graph", () => {
  const folder = join(root, "tools/fixtures/graph")
  const fixtures = readFixtures(folder, /\b(?!nothing$)[a-z][a-z-]+/g)
  let found: ReadonlyMap<string, ReadonlySet<string>> = new Map()
  let ruleNames: ReadonlyArray<string> = []

  beforeAll(async () => {
    const report = (await runForJson(folder, "dependency-cruiser/bin/dependency-cruiser.mjs", [
      "--config",
      join(root, ".dependency-cruiser.mjs"),
      "--output-type",
      "json",
      "packages"
    ])) as {
      readonly summary: {
        readonly violations: ReadonlyArray<{ readonly from: string; readonly rule: { readonly name: string } }>
        readonly ruleSetUsed: {
          readonly forbidden: ReadonlyArray<{ readonly name: string; readonly comment?: string }>
        }
      }
    }
    found = groupRules(report.summary.violations.map(({ from, rule }) => [from, rule.name]))
    ruleNames = report.summary.ruleSetUsed.forbidden.map(({ name }) => name)
  }, toolTimeoutMillis)

  for (const [file, expected] of fixtures) {
    it(expected.length === 0 ? `accept ${file}` : `reject ${file} by ${expected.join(" and ")}`, () => {
      assert.deepStrictEqual(rulesOf(found, file), [...expected].sort())
    })
  }

  it("each reject a fixture", () => {
    assert.isAbove(ruleNames.length, 0)
    const rejected = new Set(fixtures.flatMap(([, rules]) => rules))
    for (const rule of ruleNames) assert.isTrue(rejected.has(rule), `${rule} has no fixture`)
  })
})

describe("undeclared dependencies", () => {
  it("are reported although hoisting would serve them", async () => {
    const report = (await runForJson(join(root, "tools/fixtures/undeclared"), "knip/bin/knip.js", [
      "--no-config-hints",
      "--reporter",
      "json"
    ])) as { readonly issues: ReadonlyArray<{ readonly unlisted: ReadonlyArray<{ readonly name: string }> }> }
    const names = report.issues.flatMap(({ unlisted }) => unlisted.map(({ name }) => name))
    assert.deepStrictEqual([...names].sort(), ["@undeclared/b", "jose"])
  })
})
