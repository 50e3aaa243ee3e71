// Wingmirror · Apache-2.0

import AgentCommands

await Program.main()
