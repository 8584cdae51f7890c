/**
 * The dependency rule as a graph of files: what may import what, and why.
 *
 * `scripts/check.ts` asserts that more than zero modules were cruised: without TypeScript's API (TypeScript 7 has none)
 * dependency-cruiser finds nothing and is content. `tools/test/boundaries.test.ts` shows each rule rejecting something.
 *
 * @type {import("dependency-cruiser").IConfiguration}
 */
const roots = "^packages/(api-server|batch-cli)/"

export default {
  forbidden: [
    {
      name: "no-circular",
      comment: "Modules of a cycle cannot be understood, tested or loaded one at a time.",
      severity: "error",
      from: {},
      to: { circular: true }
    },
    {
      name: "domain-is-the-centre",
      comment:
        "The domain must be usable, and true, whatever the technology around it: it knows only itself and effect.",
      severity: "error",
      from: { path: "^packages/domain/src/" },
      to: { path: "^(packages|scripts|tools|bench)/", pathNot: "^packages/domain/src/" }
    },
    {
      name: "domain-needs-only-effect",
      comment: "Whoever embeds the domain installs effect and nothing else; only its testing modules know fast-check.",
      severity: "error",
      from: { path: "^packages/domain/src/", pathNot: "^packages/domain/src/testing/" },
      to: { path: "node_modules/", pathNot: "node_modules/effect/" }
    },
    {
      name: "application-knows-only-domain",
      comment: "Use cases depend on ports, never on an adapter: that is what makes adapters swappable.",
      severity: "error",
      from: { path: "^packages/application/src/" },
      to: { path: "^(packages|scripts|tools|bench)/", pathNot: "^packages/(application|domain)/src/" }
    },
    {
      name: "adapters-do-not-meet",
      comment: "Adapters meet only in a composition root; one that imports another cannot be replaced alone.",
      severity: "error",
      from: { path: "^packages/(adapters-[^/]+)/src/" },
      to: { path: "^packages/(adapters-[^/]+|kakaopay-simulator)/", pathNot: "^packages/$1/" }
    },
    {
      name: "nothing-imports-a-composition-root",
      comment: "Roots start processes and choose adapters; a module that imports one starts and chooses too.",
      severity: "error",
      from: { path: "^packages/([^/]+)/src/" },
      to: { path: roots, pathNot: "^packages/$1/" }
    },
    {
      name: "simulator-imports-nothing-of-ours",
      comment: "A simulator that shares code with the adapter shares its misunderstandings, and proves nothing.",
      severity: "error",
      from: { path: "^packages/kakaopay-simulator/src/" },
      to: { path: "^packages/", pathNot: "^packages/kakaopay-simulator/src/" }
    },
    {
      name: "src-not-to-test",
      comment: "What is published must not need what is not.",
      severity: "error",
      from: { path: "^packages/[^/]+/src/" },
      to: { path: "^packages/[^/]+/(test|typetest)/|^tools/|^scripts/|^bench/" }
    },
    {
      name: "src-not-to-testing",
      comment:
        "Fixtures and contract suites pull in test libraries and made-up data: production code runs without them.",
      severity: "error",
      from: { path: "^packages/[^/]+/src/", pathNot: "^packages/[^/]+/src/testing/" },
      to: { path: "^packages/[^/]+/src/testing/" }
    },
    {
      name: "resolvable",
      comment: "An import that cannot be resolved is an edge that no other rule sees.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true }
    }
  ],
  options: {
    // Types are dependencies too: a port that names an adapter's type knows the adapter.
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^packages/[^/]+/dist/" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["@pillivery/source", "import", "node", "types", "default"],
      extensions: [".ts", ".js", ".json"]
    }
  }
}
