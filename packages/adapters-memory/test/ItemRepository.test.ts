import { suite } from "@pillivery/application/testing/ItemRepositorySuite"
import * as Memory from "../src/Memory.ts"

suite("memory", Memory.layer)
