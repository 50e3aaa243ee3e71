// Wingmirror · Apache-2.0

import Testing

@testable import Agent

@Suite struct StartHintsTests {
    @Test func `at a terminal the page, the commands for another one and Ctrl-C are named`() {
        let text = StartHints.text(page: "http://127.0.0.1:9646/", program: ".build/release/wingmirror")
        #expect(
            text == """

                  page      http://127.0.0.1:9646/
                  routes    .build/release/wingmirror top --agent http://127.0.0.1:9646
                  requests  .build/release/wingmirror tap --agent http://127.0.0.1:9646
                  Ctrl-C    ends the agent and prints what it saw


                """
        )
    }

    @Test(arguments: ["", "/opt/my tools/wingmirror", "a\u{1B}[2Jb"])
    func `a program whose name is no plain word is called wingmirror`(program: String) {
        let text = StartHints.text(page: "http://[::1]:1/", program: program)
        #expect(text.contains("  wingmirror top --agent http://[::1]:1\n"))
    }
}
