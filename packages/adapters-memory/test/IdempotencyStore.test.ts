import { suite } from "@pillivery/application/testing/IdempotencyStoreSuite"
import * as Memory from "../src/Memory.ts"

suite("memory", Memory.layer)
