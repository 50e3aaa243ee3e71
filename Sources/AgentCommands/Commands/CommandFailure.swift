// Wingmirror · Apache-2.0

/// How the program ends.
enum ProgramStatus: Int32, Sendable {
    /// The work is done.
    case done = 0
    /// The work failed.
    case failed = 1
    /// The command line or the configuration is wrong.
    case usage = 2
    /// A permission is missing.
    case permission = 3
}

/// Why a command ends without having done its work.
struct CommandFailure: Error, Sendable, Equatable {
    /// How the program ends.
    var status: ProgramStatus
    /// What is said on standard error, one line for each problem.
    var lines: [String]

    /// Makes a failure.
    init(_ status: ProgramStatus, _ lines: [String]) {
        self.status = status
        self.lines = lines
    }

    /// Makes a failure that is said in one line.
    init(_ status: ProgramStatus, _ line: String) {
        self.init(status, [line])
    }

    /// Says what is wrong with a configuration or the command line.
    init(_ problems: ConfigurationProblems) {
        self.init(.usage, problems.problems.map(\.description))
    }
}
