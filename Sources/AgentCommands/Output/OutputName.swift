// Wingmirror · Apache-2.0

import AgentConfiguration

/// How the value of `--output` is read, the same for every command.
enum OutputName {
    /// Reads the value; what is unknown is added to `problems`.
    ///
    /// A document for a program may be called `json` or `ndjson`: a command that prints one document takes both for `json`, one
    /// that prints a document on each line takes both for `ndjson`. What is for people may be called `table` or `text`.
    static func read<Output>(_ text: String, _ problems: inout [ConfigurationProblem]) -> Output?
    where Output: RawRepresentable & CaseIterable, Output.RawValue == String {
        let known = Output.allCases.map(\.rawValue)
        var name = text
        for alike in [["json", "ndjson"], ["table", "text"]] where !known.contains(text) && alike.contains(text) {
            name = known.first(where: alike.contains) ?? text
        }
        if let output = Output(rawValue: name) { return output }
        let names = known.map { $0 == "ndjson" ? "ndjson (or json)" : $0 }.joined(separator: ", ")
        problems.append(.option("--output", "expected one of \(names), found \"\(text)\""))
        return nil
    }
}
