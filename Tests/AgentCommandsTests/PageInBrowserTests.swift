// Wingmirror · Apache-2.0

import TestSupport
import Testing

/// The page of a running agent, driven in Chromium by `Fixtures/page_check.py`.
@Suite(
    .enabled(if: PageCheck.isAvailable, "no Chromium: apt-get install chromium, pip install playwright"),
    .timeLimit(.minutes(20))
)
struct PageInBrowserTests {
    @Test func `the page sorts, filters, explains, pauses and shows what is hostile as text`() async throws {
        let run = try await AgentProgram.check("page_check.py")
        #expect(run.status == 0, "\(run.text)")
    }
}

/// What drives the page.
private enum PageCheck {
    /// Whether everything is there that it needs.
    static var isAvailable: Bool {
        let probe =
            "import playwright, shutil, sys; sys.exit(not (shutil.which('chromium') or shutil.which('google-chrome')))"
        return AgentProgram.canBeChecked && AgentProgram.python.succeeds(["-c", probe])
    }
}
