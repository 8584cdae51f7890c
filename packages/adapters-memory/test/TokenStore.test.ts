import { suite } from "@pillivery/application/testing/TokenStoreSuite"
import * as Memory from "../src/Memory.ts"

suite("memory", Memory.layer)
