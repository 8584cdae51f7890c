import { suite } from "@pillivery/application/testing/CartStoreSuite"
import * as Memory from "../src/Memory.ts"

suite("memory", Memory.layer)
