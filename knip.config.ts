/**
 * What nobody uses, and what somebody uses without saying so: hoisting lets every package import every other, declared or
 * not, and only knip compares imports with each package.json.
 *
 * Unused exports are not reported: the modules of a package are its public surface, used by others. Nor are programs: tests
 * start the servers that `npm test` found.
 */
import type { KnipConfig } from "knip"

const config: KnipConfig = {
  exclude: ["binaries", "exports", "types", "nsExports", "nsTypes", "enumMembers", "namespaceMembers", "duplicates"],
  workspaces: {
    ".": {
      entry: [
        "scripts/*.{ts,js}",
        // Named by stryker.config.ts.
        "scripts/internal/MutationRunner.ts",
        "vitest.domain.config.ts",
        "bench/*.ts",
        "scenarios/*.ts",
        "simulation/{mutate,search}.ts",
        "simulation/test/**/*.test.ts",
        // Loaded before the programs that it kills.
        "scenarios/internal/crashPoints.ts",
        "bench/servers/*.ts",
        "bench/billing/{Provider,RawLoop}.ts",
        "tools/test/**/*.test.ts",
        "tools/oxlint-plugin/plugin.ts",
        "docs/examples/*.ts"
      ],
      project: [
        "scripts/**/*.{ts,js}",
        "bench/**/*.ts",
        "scenarios/**/*.ts",
        "simulation/**/*.ts",
        "tools/test/**/*.ts",
        "tools/oxlint-plugin/**/*.ts",
        "docs/examples/*.ts"
      ],
      // The first is the name in tsconfig.base.json that effect-tsgo, run by scripts/check.ts, answers to; the others are run
      // by their path.
      ignoreDependencies: [
        "@effect/language-service",
        "@effect/tsgo",
        "@arethetypeswrong/cli",
        "@stryker-mutator/core",
        "@typescript/native"
      ]
    },
    "packages/*": {
      entry: ["src/**/*.ts", "bin/*.js", "test/**/*.ts", "typetest/**/*.tst.ts"],
      project: ["src/**/*.ts", "test/**/*.ts", "typetest/**/*.ts"]
    }
  }
}

export default config
