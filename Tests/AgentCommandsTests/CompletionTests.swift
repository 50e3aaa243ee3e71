// Wingmirror · Apache-2.0

import ArgumentParser
import Foundation
import TestSupport
import Testing

@testable import AgentCommands

/// Completions as the shells of this machine make them, and the man pages that are made beside them.
@Suite(.timeLimit(.minutes(10))) struct CompletionTests {
    private static let bash = ExternalProgram("bash")
    private static let fish = ExternalProgram("fish")
    private static let mandoc = ExternalProgram("mandoc")

    /// What is typed, and what it may become: commands, options, values, files, interfaces.
    private static let cases: [(line: String, words: Set<String>)] = [
        ("wingmirror re", ["read", "replay"]),
        ("wingmirror routes ex", ["explain"]),
        ("wingmirror mirror plan --gateway-s", ["--gateway-selector"]),
        ("wingmirror top --sort r", ["rate", "requests"]),
        ("wingmirror tap --status 4xx --status un", ["unknown"]),
        ("wingmirror run --log-level w", ["warning"]),
        ("wingmirror run -i aut", ["auto"]),
        ("wingmirror read --config wing", ["wing-a.yaml", "wing-b.yaml"]),
        ("wingmirror read wing-a.yaml --routes wing-b", ["wing-b.yaml"]),
        ("wingmirror routes check wing-a", ["wing-a.yaml"]),
    ]

    /// Runs a program of a shell with the script of completions as `$1` and what is typed as `$2`, where the files lie.
    private static func words(_ shell: ExternalProgram, _ script: String, _ arguments: [String], _ line: String) throws
        -> Set<String>
    {
        let folder = try TemporaryFolder()
        for name in ["wing-a.yaml", "wing-b.yaml"] { try folder.write("", to: name) }
        let path = try folder.write(script, to: "completions")
        let run = try shell.blockingRun(arguments + [path, line], in: URL(filePath: folder.path))
        // fish writes a tab and a description behind each word.
        let lines = String(decoding: run.output, as: UTF8.self).split(separator: "\n")
        return Set(lines.compactMap { $0.split(separator: "\t").first.map(String.init) })
    }

    @Test(.enabled(if: bash.exists, "no bash"), arguments: cases)
    func `bash completes commands, options, values and files`(line: String, words: Set<String>) throws {
        let program = """
            source "$1"; COMP_LINE=$2; COMP_POINT=${#COMP_LINE}; read -ra COMP_WORDS <<< "$COMP_LINE"
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _wingmirror wingmirror "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let arguments = ["--norc", "--noprofile", "-c", program, "bash"]
        #expect(try Self.words(Self.bash, Wingmirror.completionScript(for: .bash), arguments, line) == words)
    }

    @Test(.enabled(if: fish.exists, "no fish: apt-get install fish"), arguments: cases)
    func `fish completes commands, options, values and files`(line: String, words: Set<String>) throws {
        let arguments = ["--no-config", "-c", "source $argv[1]; complete -C $argv[2]"]
        #expect(try Self.words(Self.fish, Wingmirror.completionScript(for: .fish), arguments, line) == words)
    }

    @Test(.enabled(if: ExternalProgram("zsh").exists, "no zsh: apt-get install zsh"))
    func `zsh can read its completions`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(Wingmirror.completionScript(for: .zsh), to: "_wingmirror")
        let run = try ExternalProgram("zsh").blockingRun(["-f", "-n", path])
        #expect(run.status == 0 && run.text.isEmpty, "\(run.text)")
    }

    @Test(.enabled(if: AgentProgram.canBeChecked && mandoc.exists, "no mandoc: apt-get install mandoc"))
    func `each command has a man page without a fault`() async throws {
        let folder = try TemporaryFolder()
        let script = URL(filePath: "\(Repository.path)/samples/systemd/man_pages.py")
        let made = try await ExternalProgram(script: script).run([
            AgentProgram.words[0], folder.path, "--version", "1", "--date", "2026-11-30",
        ])
        try #require(made.status == 0, "\(made.text)")
        let pages = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(pages.contains("wingmirror.1") && pages.contains("wingmirror-routes-explain.1"))
        let lint = try await Self.mandoc.run(["-Tlint", "-W", "warning"] + pages.map { "\(folder.path)/\($0)" })
        #expect(lint.status == 0 && lint.text.isEmpty, "\(lint.text)")
    }
}
