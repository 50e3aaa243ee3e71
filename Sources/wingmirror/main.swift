// Wingmirror · Apache-2.0

import AgentCommands

Program.main()
