// Wingmirror · Apache-2.0

import AgentConfiguration

/// How the value of `--output` is read, the same for every command.
enum OutputName {
    /// Reads the value; what is unknown is added to `problems`.
    ///
    /// Whoever wants a document for a program may ask for `json` or `ndjson`: a command that prints one document takes both
    /// for `json`, one that prints a document on each line takes both for `ndjson`.
    static func read<Output>(_ text: String, _ problems: inout [ConfigurationProblem]) -> Output?
    where Output: RawRepresentable & CaseIterable, Output.RawValue == String {
        let known = Output.allCases.map(\.rawValue)
        var name = text
        if !known.contains(text), ["json", "ndjson"].contains(text) {
            name = known.first { $0 == "json" || $0 == "ndjson" } ?? text
        }
        if let output = Output(rawValue: name) { return output }
        problems.append(.option("--output", "expected one of \(known.joined(separator: ", ")), found \"\(text)\""))
        return nil
    }
}
