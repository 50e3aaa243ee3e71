// Wingmirror · Apache-2.0

/// One mistake in a configuration file or on the command line, said in one line.
package struct ConfigurationProblem: Error, Sendable, Equatable {
    /// Where the mistake is.
    package enum Place: Sendable, Equatable {
        /// A file as a whole.
        case file(String)
        /// A line and column of a file, both counted from 1.
        case position(file: String, line: Int, column: Int)
        /// An option of the command line.
        case option(String)
    }

    /// Where the mistake is.
    package var place: Place
    /// The key whose value is wrong, such as `gateway.ports[1].pod`; empty where no key is meant.
    var keyPath = ""
    /// What is wrong, and what would be right.
    package var message: String

    /// Makes a problem of its parts.
    package init(place: Place, keyPath: String = "", message: String) {
        self.place = place
        self.keyPath = keyPath
        self.message = message
    }

    /// Makes a problem with an option of the command line.
    package static func option(_ name: String, _ message: String) -> ConfigurationProblem {
        ConfigurationProblem(place: .option(name), message: message)
    }
}

extension ConfigurationProblem: CustomStringConvertible {
    /// `FILE:LINE:COLUMN: KEY.PATH: MESSAGE`, without the parts that are not known.
    package var description: String {
        let start =
            switch place {
            case .file(let path): path
            case .position(let path, let line, let column): "\(path):\(line):\(column)"
            case .option(let name): name
            }
        return keyPath.isEmpty ? "\(start): \(message)" : "\(start): \(keyPath): \(message)"
    }
}

/// All mistakes that were found, in the order of the file; never empty.
package struct ConfigurationProblems: Error, Sendable, Equatable {
    /// The mistakes.
    package var problems: [ConfigurationProblem]

    /// Makes a list of mistakes, ordered by where they are.
    package init(_ problems: [ConfigurationProblem]) {
        precondition(!problems.isEmpty, "ConfigurationProblems needs a problem")
        self.problems = problems.enumerated().sorted { left, right in
            (left.element.place.order, left.offset) < (right.element.place.order, right.offset)
        }.map(\.element)
    }
}

extension ConfigurationProblem.Place {
    fileprivate var order: Int {
        switch self {
        case .option: -1
        case .file: 0
        case .position(_, let line, let column): line * 10_000 + min(column, 9999)
        }
    }
}
