/**
 * How the tests run: one vitest run over every package, resolving workspace imports to sources.
 *
 * `npm test` starts the database and Redis and then vitest; `npx vitest` alone runs whatever needs neither.
 */
import { defineConfig } from "vitest/config"

/** The condition must be named twice: vitest resolves inlined modules through `ssr`, everything else through `resolve`. */
const conditions = ["@pillivery/source", "module", "node", "development|production"]

/** The machine of reference has two cores; more workers only make timeouts. */
const workersMax = 2

const testTimeoutMillis = 30_000
const hookTimeoutMillis = 60_000

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "tools/test/**/*.test.ts", "simulation/test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**", "tools/fixtures/**"],
    pool: "forks",
    maxWorkers: workersMax,
    testTimeout: testTimeoutMillis,
    hookTimeout: hookTimeoutMillis,
    reporters: ["default"]
  }
})
