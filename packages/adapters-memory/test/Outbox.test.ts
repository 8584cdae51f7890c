import { suite } from "@pillivery/application/testing/OutboxSuite"
import * as Memory from "../src/Memory.ts"

suite("memory", Memory.layer)
