// Wingmirror · Apache-2.0

package import AgentConfiguration
package import PacketCapture

/// How the program ends.
package enum ProgramStatus: Int32, Sendable {
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
package struct CommandFailure: Error, Sendable, Equatable {
    /// How the program ends.
    package var status: ProgramStatus
    /// What is said on standard error, one line for each problem.
    package var lines: [String]

    /// Makes a failure.
    package init(_ status: ProgramStatus, _ lines: [String]) {
        self.status = status
        self.lines = lines
    }

    /// Makes a failure that is said in one line.
    package init(_ status: ProgramStatus, _ line: String) {
        self.init(status, [line])
    }

    /// Says what is wrong with a configuration or the command line.
    package init(_ problems: ConfigurationProblems) {
        self.init(.usage, problems.problems.map(\.description))
    }
}

extension CommandFailure {
    /// Refuses to read a savefile from a keyboard, where the program would seem to hang.
    package static func refuseTerminal(
        among savefiles: [String],
        isTerminal: Bool = Terminal.isTerminal(0)
    ) throws(CommandFailure) {
        guard isTerminal, savefiles.contains("-") else { return }
        throw CommandFailure(
            .usage,
            "FILE: standard input is a terminal; pipe a pcap file into it, such as `tcpdump -w - | wingmirror read -`"
        )
    }

    /// Says why packets cannot be captured or read.
    package init(_ error: CaptureError) {
        let status: ProgramStatus =
            switch error.code {
            case .missingPermission: .permission
            case .invalidFilter, .invalidConfiguration, .noSuchFile: .usage
            default: .failed
            }
        self.init(status, error.description)
    }
}
