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
        guard error.code == .noSuchFile else {
            self.init(status, error.description)
            return
        }
        let interfaces = (try? NetworkInterface.all().map(\.name)) ?? []
        self.init(status, error.description + Self.mistaken(error.sentence, among: interfaces))
    }

    /// What to write where the name of a file that is not there is that of an interface, or an agent's address.
    ///
    /// - Parameters:
    ///   - sentence: The name, a colon and what is wrong with it.
    ///   - interfaces: The names of this machine's interfaces.
    /// - Returns: What follows the sentence; nothing for any other name.
    package static func mistaken(_ sentence: String, among interfaces: [String]) -> String {
        if let name = interfaces.first(where: { sentence.hasPrefix("\($0): ") }) {
            return "; it is an interface: `wingmirror top --interface \(name)` and `run` capture on it"
        }
        let isAddress = sentence.hasPrefix("http://") || sentence.hasPrefix("https://")
        let parts = sentence.split(separator: ":", maxSplits: 2)
        let hasPort = parts.count == 3 && !parts[0].contains("/") && UInt16(parts[1]) != nil
        return isAddress || hasPort ? "; if it is a running agent, `wingmirror top --agent` shows it" : ""
    }
}
