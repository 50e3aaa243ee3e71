// Wingmirror · Apache-2.0

import JSONSyntax

/// Values of plain, quoted and block scalars in YAML as the rule files have it.
enum YAMLScalars {
    static func values(of key: String, in text: String) throws -> [String] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let pattern = try Regex("^( *)(?:- )?\(key): (.+)$", as: (Substring, Substring, Substring).self)
        var values: [String] = []
        for (number, line) in lines.enumerated() {
            guard let match = line.firstMatch(of: pattern) else { continue }
            let value = match.output.2
            if value == "|" {
                let indentation = line.prefix { $0 == " " || $0 == "-" }.count
                let block = lines[(number + 1)...].prefix { $0.isEmpty || $0.prefix { $0 == " " }.count > indentation }
                values.append(block.joined(separator: "\n"))
            } else if value.hasPrefix("\"") {
                let parsed = try JSONDocument.parse(Array("[\(value)]".utf8))
                if case .array(let entries) = parsed, case .string(let content)? = entries.first {
                    values.append(content)
                }
            } else {
                values.append(String(value))
            }
        }
        return values
    }
}
