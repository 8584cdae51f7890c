import { suite } from "@pillivery/application/testing/SocialAccountsSuite"
import * as Memory from "../src/Memory.ts"

suite("memory", Memory.layer)
