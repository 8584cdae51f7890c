import { suite } from "@pillivery/application/testing/UserRepositorySuite"
import * as Memory from "../src/Memory.ts"

suite("memory", Memory.layer)
