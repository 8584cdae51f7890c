import { suite } from "@pillivery/application/testing/DistributedLockSuite"
import * as Memory from "../src/Memory.ts"

suite("memory", Memory.layer)
