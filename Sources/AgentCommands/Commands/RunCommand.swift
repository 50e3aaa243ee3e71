// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import ArgumentParser
import ResourceFiles

/// `run`: the agent.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Capture, attribute and serve metrics until a signal.",
        discussion: """
            Route files are reloaded when they change, and SIGHUP reloads the configuration and the routes; if a file is \
            invalid, the previous version stays in use. SIGTERM and SIGINT process the packets captured so far and end \
            the agent within five seconds.

            Examples:
              sudo wingmirror run --interface eth0 --routes routes.yaml
              sudo wingmirror run -i any --gateway-port 8080:80 --routes routes.yaml
              wingmirror run capture.pcap --loop --routes routes.yaml
            """
    )

    @Option(
        help: ArgumentHelp(
            "How fast pcap files are read: fast or realtime. (default: fast; realtime with --loop)",
            valueName: "pace"
        ),
        completion: .list(["fast", "realtime"])
    )
    var pace: String?

    @Flag(help: "Begin pcap files again when they end, in real time and with their times moved to now.")
    var loop = false

    @Option(
        help: ArgumentHelp(
            "Serve metrics, health and the page here. (default: 0.0.0.0:9646)",
            valueName: "address:port"
        )
    )
    var listen: String?

    @Option(
        help: ArgumentHelp("Write request records to this file; - is standard output.", valueName: "file"),
        completion: .file()
    )
    var records: String?

    @Flag(help: "Add the headers of requests and responses to the records, redacted.")
    var fields = false

    @Option(help: ArgumentHelp("Add up to this much content of each message to the records.", valueName: "bytes"))
    var content: String?

    @Flag(help: "Exit when the pcap files have been read and the table is printed.")
    var once = false

    @OptionGroup var sources: SourceOptions

    mutating func run() async throws {
        try await RunPlan(self).execute()
    }
}

extension RunPlan {
    /// Checks the options.
    init(_ command: RunCommand) throws(ConfigurationProblems) {
        self.init(
            configuration: try Self.configuration(command),
            endsAfterSavefiles: command.once,
            reread: { [command] () throws(ConfigurationProblems) in try Self.configuration(command) }
        )
    }

    private static func configuration(_ command: RunCommand) throws(ConfigurationProblems) -> Configuration {
        var problems: [ConfigurationProblem] = []
        var configuration = command.sources.configuration(&problems).configuration
        problems += configuration.capture.apply(pace: command.pace, loop: command.loop)
        if command.pace != nil, configuration.capture.savefiles.isEmpty { problems.append(.paceInVain) }
        problems += configuration.records.apply(content: command.content)
        if command.fields {
            configuration.records.fields = true
        }
        if let records = command.records {
            configuration.records.file = records
        }
        if let listen = command.listen {
            if let address = ListenAddress(listen) {
                configuration.metrics.listen = address
            } else {
                problems.append(
                    .option("--listen", "expected an address and port such as 0.0.0.0:9646, found \"\(listen)\"")
                )
            }
        }
        if command.once, configuration.capture.savefiles.isEmpty {
            problems.append(.option("--once", "needs pcap files; an interface has no end"))
        } else if command.once, command.loop {
            problems.append(.option("--once", "with --loop there is no end; leave one of them out"))
        } else if command.once {
            // A configuration made to be looked at serves for one reading too.
            configuration.capture.loop = false
        }
        if !command.once {
            for path in configuration.routes.files where ResourceFileLoader.isReadOnce(path) {
                let name = path == "-" ? "standard input" : path
                let problem = "\(name) can be read once only, and run reads objects again when it reloads; name a file"
                problems.append(.option("--routes", problem))
            }
        }
        if configuration.records.file.isEmpty, command.fields || command.content != nil {
            problems.append(.option(command.fields ? "--fields" : "--content", "needs --records, or records.file"))
        }
        guard problems.isEmpty else { throw ConfigurationProblems(problems) }
        return configuration
    }
}
