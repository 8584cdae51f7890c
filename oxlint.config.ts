/**
 * Lint rules, most of them the dependency rule: what each package may import and which globals it may touch.
 *
 * A list of allowed imports is a gitignore-like group: `*` forbids everything, each `!` allows something again, and the
 * last match wins. A name without a slash also matches the last part of a path, in any case: `!effect` lets in
 * `effect/Effect` unless `effect/**` follows. dependency-cruiser says the same about files; oxlint also sees which names come from a barrel.
 * `tools/test/boundaries.test.ts` shows that every rule rejects what it should.
 */
import { fileURLToPath } from "node:url"
import { defineConfig, type OxlintOverride } from "oxlint"

/** The modules of `effect` that are data: what they make is a value already, without IO, time or randomness. */
const pureModules = [
  "Array",
  "BigDecimal",
  "Brand",
  "DateTime",
  "Duration",
  "Equal",
  "Function",
  "Hash",
  "Match",
  "Number",
  "Option",
  "Order",
  "Predicate",
  "Record",
  "Result",
  "Schema",
  "String",
  "Struct"
]

/** The globals through which time, randomness and IO would slip past the types. `globalThis` reaches all of them. */
const impureGlobals = [
  "Date",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "process",
  "fetch",
  "console",
  "crypto",
  "performance",
  "globalThis"
]

const own = ["!./**", "!../**"]
const effect = ["!effect", "!effect/**"]
const ours = ["!@pillivery/application/**", "!@pillivery/domain/**"]
const testing = ["!@effect/vitest", "!vitest", "!fast-check"]

/** Allows the listed imports and nothing else. */
const onlyImports = (message: string, ...allowed: ReadonlyArray<string>) => ({
  patterns: [{ group: ["*", ...own, ...allowed], message }]
})

const restrictGlobals = (message: string): Array<{ name: string; message: string }> =>
  impureGlobals.map((name) => ({ name, message }))

const domainMessage = "domain is pure: return Result, take values as arguments"
const applicationMessage = "application knows the domain and effect: whatever has a technology is an adapter's"

/** An adapter's imports: the ports it implements, effect, Node, and its own driver. */
const adapter = (name: string, ...drivers: ReadonlyArray<string>): OxlintOverride => ({
  files: [`packages/${name}/src/**`],
  rules: {
    "eslint/no-restricted-imports": [
      "error",
      onlyImports(`${name} may import the ports, effect and its own driver`, ...ours, ...effect, "!node:*", ...drivers)
    ]
  }
})

const platformNode = "!@effect/platform-node/**"

export default defineConfig({
  plugins: ["eslint", "typescript", "unicorn", "oxc", "import"],
  jsPlugins: [fileURLToPath(new URL("tools/oxlint-plugin/plugin.ts", import.meta.url))],
  categories: { correctness: "error", suspicious: "error", perf: "error" },
  ignorePatterns: ["**/dist/**", "tools/fixtures/**"],
  rules: {
    "import/no-default-export": "error",
    // The fields of an Effect service and of a schema class shadow nothing; modules named like globals are our style.
    "eslint/no-shadow": "off",
    "eslint/no-underscore-dangle": "off",
    // Sequential work in scripts and tests is meant to be sequential.
    "eslint/no-await-in-loop": "off",
    "import/no-unassigned-import": "off",
    // The compiler says it from the sources; this rule looks into `dist` where there is one, stale or not.
    "import/namespace": "off",
    // fast-check's default export is how its manual imports it.
    "import/no-named-as-default-member": "off",
    "eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", ignoreRestSiblings: true }],
    "unicorn/no-array-callback-reference": "off",
    "unicorn/no-array-sort": "off",
    "unicorn/no-array-reverse": "off",
    "unicorn/no-useless-spread": "off",
    "unicorn/consistent-function-scoping": "off",
    // Copying is what immutable data does.
    "oxc/no-map-spread": "off",
    "typescript/no-explicit-any": "error",
    "typescript/no-non-null-assertion": "error",
    "pillivery/no-double-assertion": "error",
    "pillivery/no-export-all": "error",
    "pillivery/no-unchecked-construction": "error",
    "pillivery/no-unchecked-rows": "error",
    "pillivery/one-transaction-helper": "error"
  },
  overrides: [
    { files: ["packages/*/src/**"], rules: { "pillivery/no-run-effect": "error" } },
    {
      // Drivers call back: an adapter may start a fiber there, in the context it was built with.
      files: ["packages/adapters-*/src/**"],
      rules: { "pillivery/no-run-effect": ["error", { allowInContext: true }] }
    },
    {
      files: ["packages/{api-server,batch-cli}/src/**", "packages/kakaopay-simulator/src/main.ts"],
      rules: { "pillivery/no-run-effect": "off" }
    },
    { files: ["packages/adapters-mysql/src/Transaction.ts"], rules: { "pillivery/one-transaction-helper": "off" } },
    {
      files: ["packages/domain/src/**"],
      rules: {
        "eslint/no-restricted-imports": [
          "error",
          {
            ...onlyImports(domainMessage, ...pureModules.map((module) => `!effect/${module}`))
          }
        ],
        "eslint/no-restricted-globals": ["error", ...restrictGlobals(domainMessage)],
        "eslint/no-restricted-properties": ["error", { object: "Math", property: "random", message: domainMessage }]
      }
    },
    {
      // The one port of the domain: a declaration, whose methods return effects that adapters run.
      files: ["packages/domain/src/PaymentStrategy.ts"],
      rules: {
        "eslint/no-restricted-imports": [
          "error",
          {
            paths: [{ name: "effect/Effect", allowTypeImports: true, message: "a port names Effect as a type" }],
            ...onlyImports(domainMessage, ...["Context", "Effect", ...pureModules].map((module) => `!effect/${module}`))
          }
        ]
      }
    },
    {
      // Published for other people's tests; the only place of the domain that knows a test library.
      files: ["packages/domain/src/testing/**"],
      rules: {
        "eslint/no-restricted-imports": ["error", onlyImports(domainMessage, ...effect, ...testing)]
      }
    },
    {
      files: ["packages/application/src/**"],
      rules: {
        "eslint/no-restricted-imports": [
          "error",
          onlyImports(
            applicationMessage,
            ...effect,
            "!@pillivery/domain/**",
            "effect/sql/**",
            "effect/http/**",
            "effect/http-api/**",
            "effect/cli/**",
            "effect/process/**",
            "effect/testing/**"
          )
        ],
        "eslint/no-restricted-globals": ["error", ...restrictGlobals(applicationMessage)],
        "eslint/no-restricted-properties": [
          "error",
          { object: "Math", property: "random", message: applicationMessage }
        ]
      }
    },
    {
      files: ["packages/application/src/testing/**"],
      rules: {
        "eslint/no-restricted-imports": [
          "error",
          onlyImports(applicationMessage, ...effect, "!@pillivery/domain/**", ...testing)
        ]
      }
    },
    adapter("adapters-memory"),
    adapter("adapters-mysql", "!@effect/sql-mysql2", "!@effect/sql-mysql2/**", "!mysql2", "!mysql2/**"),
    adapter("adapters-redis", "!ioredis"),
    adapter("adapters-mail", "!node:fs/promises", "!nodemailer"),
    adapter("adapters-kakaopay", platformNode),
    adapter(
      "adapters-http",
      platformNode,
      "!csv-parse",
      "!jose",
      "!oauth4webapi",
      "!request-filtering-agent",
      "!standardwebhooks"
    ),
    {
      files: ["packages/kakaopay-simulator/src/**"],
      rules: {
        "eslint/no-restricted-imports": [
          "error",
          onlyImports("the simulator imports nothing of ours", ...effect, platformNode, "!node:*")
        ]
      }
    },
    {
      files: ["*.config.ts", ".dependency-cruiser.mjs", "tools/oxlint-plugin/**"],
      rules: { "import/no-default-export": "off" }
    }
  ]
})
