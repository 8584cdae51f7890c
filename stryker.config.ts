/**
 * What `npm run mutation` changes in the domain, one change at a time, to see whether a test notices.
 *
 * The sources are copied into a sandbox and carry all changes at once, each behind a switch; nothing here touches the
 * working tree. `scripts/internal/MutationRunner.ts` runs the tests.
 */
/** The machine of reference has two cores. */
const concurrencyMax = 2

/** Given to a mutant beyond the time its tests need; what takes longer loops without end and counts as noticed. */
const mutantTimeoutMillis = 5_000

/** Values and names that are declared, not computed: their tests are examples of what they accept. */
const declared = [
  "Category",
  "DeclineReason",
  "DisplayName",
  "DomainEvent",
  "Email",
  "Ids",
  "Password",
  "PaymentStrategy",
  "Phone",
  "Provider",
  "ProviderAnswer",
  "Quantity",
  "Receiver"
]

const config = {
  testRunner: "domain",
  plugins: ["./scripts/internal/MutationRunner.ts"],
  mutate: ["packages/domain/src/*.ts", `!packages/domain/src/{${declared.join()}}.ts`],
  mutator: {
    excludedMutations: [
      // Texts are messages, schema identifiers and tags. A message decides nothing; an identifier is a name; and a tag
      // that is compared is changed by the mutants of the comparison itself.
      "StringLiteral",
      // A changed pattern may not be a pattern at all, and then its module does not load.
      "Regex"
    ]
  },
  coverageAnalysis: "perTest",
  // Declarations evaluated once while a module loads: schemas and the tables of transitions. A mutant there would need a
  // process of its own, and the tables are held to the functions, row by row and both ways, by the laws of each machine.
  ignoreStatic: true,
  // Everything stays out of the sandbox but the domain. Its test of its own source texts would see the switches, and the
  // models play for seconds and have mutants of their own to catch.
  ignorePatterns: [
    "**",
    "!/package.json",
    "!/packages/domain/package.json",
    "!/packages/domain/src/**",
    "!/packages/domain/test/**",
    "/packages/domain/test/Purity.test.ts",
    "/packages/domain/test/*Model.test.ts"
  ],
  tempDirName: ".cache/stryker",
  cleanTempDir: "always",
  reporters: ["progress-append-only", "json"],
  jsonReporter: { fileName: ".cache/mutation.json" },
  concurrency: concurrencyMax,
  timeoutMS: mutantTimeoutMillis,
  allowConsoleColors: false,
  // The types go by themselves when Node loads a source.
  disableTypeChecks: false
}

export default config
