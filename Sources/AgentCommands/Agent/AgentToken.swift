// Wingmirror · Apache-2.0

import AgentConfiguration

/// The bearer token with which an agent is asked.
enum AgentToken {
    /// Reads the token of the file that `--token-file` names, if it does.
    ///
    /// - Parameters:
    ///   - path: The file; `nil` without the option.
    ///   - problems: Where the reason is added when the file holds no token.
    /// - Returns: The token; `nil` where there is none.
    static func read(_ path: String?, _ problems: inout [ConfigurationProblem]) -> String? {
        guard let path else { return nil }
        do throws(ConfigurationProblems) {
            return try read(path)
        } catch {
            problems += error.problems
            return nil
        }
    }

    /// Reads the first line of a file that is neither empty nor a comment, as in a file of tokens for the agent.
    ///
    /// - Throws: Why the file is none.
    static func read(_ path: String) throws(ConfigurationProblems) -> String {
        let octets: [UInt8]
        do throws(FileContents.Failure) {
            octets = try FileContents.read(path, limit: 64 << 10)
        } catch {
            throw ConfigurationProblems([
                ConfigurationProblem(place: .file(path), message: "cannot be read: \(error.reason)")
            ])
        }
        let lines = String(decoding: octets, as: UTF8.self).split(whereSeparator: \.isNewline)
        guard let line = lines.first(where: { !$0.hasPrefix("#") }),
            line.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            let message = "the first line is no token: one without spaces is expected"
            throw ConfigurationProblems([ConfigurationProblem(place: .file(path), message: message)])
        }
        return String(line)
    }
}
