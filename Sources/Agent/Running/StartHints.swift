// Wingmirror · Apache-2.0

/// What a person at a terminal can do, once an agent that was started there serves.
enum StartHints {
    /// The page, the commands that show the same in another terminal, and how the agent ends, one line each.
    ///
    /// - Parameters:
    ///   - page: The URL of the page.
    ///   - program: The program as it was called, so that the commands can be copied.
    /// - Returns: The lines, with an empty one before and after them.
    static func text(page: String, program: String) -> String {
        let isWord = program.utf8.allSatisfy { byte in
            UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
                || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || "/._-+".utf8.contains(byte)
        }
        let command = program.isEmpty || !isWord ? "wingmirror" : program
        let agent = page.hasSuffix("/") ? String(page.dropLast()) : page
        let lines = [
            ("page", page), ("routes", "\(command) top --agent \(agent)"),
            ("requests", "\(command) tap --agent \(agent)"), ("Ctrl-C", "ends the agent and prints what it saw"),
        ]
        let rows = lines.map { name, text in
            "  \(name)\(String(repeating: " ", count: 10 - name.utf8.count))\(text)"
        }
        return "\n\(rows.joined(separator: "\n"))\n\n"
    }
}
