/**
 * How `npm test` runs the tests of the domain: alone, so that no other package's tests count, and with coverage.
 *
 * Every branch of the domain is reached by the domain's own tests, or the run fails. A branch nobody can reach does not
 * belong in the code. What the tests of a branch are worth is what `npm run mutation` asks.
 */
import { defineConfig } from "vitest/config"
import base from "./vitest.config.ts"

export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ["packages/domain/test/**/*.test.ts"],
    coverage: {
      enabled: true,
      provider: "v8",
      include: ["packages/domain/src/**/*.ts"],
      // Fixtures, generators and models are tests' tools, published for others: some of it only their tests need, and
      // covering it would say nothing about the rules of the shop.
      exclude: ["packages/domain/src/testing/**"],
      reporter: [["text", { skipFull: true }]],
      reportsDirectory: ".cache/coverage",
      thresholds: { branches: 100, functions: 100, lines: 100, statements: 100 }
    }
  }
})
