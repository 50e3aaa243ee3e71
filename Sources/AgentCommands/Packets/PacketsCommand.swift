// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import ArgumentParser
import OctetText

/// `packets`: saves the packets of a connection that a running agent keeps.
struct PacketsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "packets",
        abstract: "Save the packets of one connection from a running agent as a pcap file.",
        discussion: """
            An agent whose configuration says so (capture.keep) keeps the packets of the last moments. The number of a \
            connection is the "connection" of its records, of `wingmirror tap --output ndjson`, and of a request on the \
            page. The file holds what was on the wire, with passwords and tokens: only its owner can read it.

            Examples:
              wingmirror packets 17
              wingmirror packets 17 --write - | tcpdump -r - -A
            """
    )

    @Argument(help: ArgumentHelp("The number of the connection.", valueName: "connection"))
    var connection: Int

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("The file, - for standard output (default: connection-NUMBER.pcap).", valueName: "file"),
        completion: .file(extensions: ["pcap"])
    )
    var write: String?

    @Option(help: ArgumentHelp("The agent's address.", valueName: "url"))
    var agent = "http://127.0.0.1:9646"

    @OptionGroup var access: AgentAccessOptions

    mutating func run() async throws {
        try await PacketsPlan(self).execute()
    }
}

/// What `packets` is to do, when its options have been found to make sense.
struct PacketsPlan: Sendable {
    /// Where the agent listens.
    let agent: ServerURL
    /// How it is asked.
    let access: AgentAccess
    /// The number of the connection.
    let connection: Int
    /// Where the packets are written; `-` is standard output.
    let file: String

    /// Checks the options.
    init(_ command: PacketsCommand) throws(ConfigurationProblems) {
        var problems: [ConfigurationProblem] = []
        let url = ServerURL.agent(command.agent, &problems)
        if command.connection < 0 {
            problems.append(.option("<connection>", "expected a number from 0, found \(command.connection)"))
        }
        access = command.access.read(&problems)
        guard problems.isEmpty, let url else { throw ConfigurationProblems(problems) }
        agent = url
        connection = command.connection
        file = command.write ?? "connection-\(command.connection).pcap"
    }

    /// Asks for the packets, writes them, and says what they are.
    ///
    /// - Throws: `CommandFailure` when there are none, no agent answers, or the file cannot be written.
    func execute() async throws {
        if file == "-", Terminal.isTerminal(1) {
            throw CommandFailure(
                .usage,
                "--write: packets are not for a terminal; name a file, or a pipe behind the command"
            )
        }
        let client = AgentClient(agent, access)
        let outcome: Result<AgentClient.File, AgentClient.Refusal>
        do throws(AgentClient.Refusal) {
            outcome = .success(try await client.askFile("/api/v1/packets?connection=\(connection)"))
        } catch {
            outcome = .failure(error)
        }
        await client.close()
        switch outcome {
        case .failure(let refusal): throw refusal.failure(of: agent)
        case .success(let saved):
            do throws(OctetOutput.Failure) {
                var output = try OctetOutput.open(file, forOwnerOnly: true)
                try output.append(saved.octets)
                try output.flush()
            } catch {
                if error == .closed { return }
                throw CommandFailure(.failed, error.reason)
            }
            StandardError.say(file == "-" ? saved.note : "\(file): \(saved.note)")
        }
    }
}
