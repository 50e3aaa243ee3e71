// Wingmirror · Apache-2.0

import AgentConfiguration
import ArgumentParser

/// `read`: analyses savefiles and prints what they hold.
struct ReadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "read",
        // Who has a command above it is not asked for the completions of a shell, which takes as long as to read the options.
        _superCommandName: "wingmirror",
        abstract: "Analyse pcap files and print routes, requests or metrics.",
        discussion: """
            Every TCP connection is read, and its protocol recognised by content; --gateway-port and the gateway's \
            Services among the objects say which connections reach the gateway. Of a damaged pcap file everything before \
            the damage is read; the offset of the damage is printed, and the exit status is 1.

            Several files are read as one capture, in the order of their packets' times, so that a connection may \
            begin in one and go on in the next. --jobs decompresses gzipped files on several threads; what is printed \
            stays the same.

            Examples:
              wingmirror read capture.pcap --routes samples/istio
              tcpdump -w - 'tcp port 8080' | wingmirror read - --output ndjson
              wingmirror read capture.pcap --kubernetes --context staging
              wingmirror read --jobs 4 gateway.pcap*.gz --output metrics
            """
    )

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("What to print: table, ndjson (or json), gor, har or metrics.", valueName: "output"),
        completion: .list(ReadPlan.Output.allCases.map(\.rawValue))
    )
    var output = "table"

    @Flag(help: "Add the headers of requests and responses to the records, redacted.")
    var fields = false

    @Option(
        help: ArgumentHelp(
            "Add up to this much content of each message to the records; of gor and har, keep it instead of 1 MiB.",
            valueName: "bytes"
        )
    )
    var content: String?

    @Option(
        help: ArgumentHelp(
            "Threads to use, 1 to \(ReadPlan.jobLimit): one analyses, the others decompress gzipped files.",
            valueName: "number"
        )
    )
    var jobs = 1

    @OptionGroup var files: SavefileOptions
    @OptionGroup var cluster: ClusterOptions

    mutating func run() async throws {
        try await ReadPlan(self).execute()
    }
}

/// What `read` is to do, when options and configuration have been found to make sense.
struct ReadPlan: Sendable, Equatable {
    /// What is printed.
    enum Output: String, Sendable, CaseIterable {
        case table
        case ndjson
        case gor
        case har
        case metrics

        /// The format of a recording, if this is one.
        var recording: RecordingOutput.Format? { RecordingOutput.Format(rawValue: rawValue) }
    }

    /// The configuration, with the savefiles to read.
    var configuration: Configuration
    /// What is printed.
    var output = Output.table
    /// Where routes come from, if not from files alone.
    var cluster: ClusterChoice?
    /// How many threads work on the savefiles.
    var jobs = 1

    /// More threads than that would wait for the one that analyses.
    static let jobLimit = 64

    /// Checks the options.
    init(_ command: ReadCommand) throws(ConfigurationProblems) {
        var problems: [ConfigurationProblem] = []
        let isComplete: Bool
        (configuration, isComplete) = command.files.configuration(&problems)
        let output: Output? = OutputName.read(command.output, &problems)
        self.output = output ?? .table
        configuration.capture.interfaces = .named([])
        if isComplete, configuration.capture.savefiles.isEmpty {
            problems.append(.option("FILE", "name the pcap file to read, or - for standard input"))
        }
        if command.fields {
            configuration.records.fields = true
        }
        problems += configuration.records.apply(content: command.content)
        do throws(ConfigurationProblems) {
            cluster = try command.cluster.choice()
        } catch {
            problems += error.problems
        }
        jobs = command.jobs
        if !(1...Self.jobLimit).contains(jobs) {
            problems.append(.option("--jobs", "expected a number from 1 to \(Self.jobLimit), found \(jobs)"))
        } else if jobs > 1, configuration.capture.savefiles == ["-"] {
            problems.append(.option("--jobs", "standard input is read by one thread; name a file instead"))
        }
        if output != nil {
            problems += optionsInVain(command)
        }
        guard problems.isEmpty else { throw ConfigurationProblems(problems) }
    }

    /// Options that the output has no use for.
    private func optionsInVain(_ command: ReadCommand) -> [ConfigurationProblem] {
        switch output {
        case .ndjson: return []
        case .gor, .har:
            return command.fields ? [.option("--fields", "--output \(output.rawValue) always has the headers")] : []
        case .table, .metrics:
            let fields = ConfigurationProblem.option("--fields", "only --output ndjson prints records")
            let content = ConfigurationProblem.option("--content", "only --output ndjson, gor and har hold content")
            return (command.fields ? [fields] : []) + (command.content == nil ? [] : [content])
        }
    }
}

extension RecordsConfiguration {
    /// Takes the value of `--content`, if there is one.
    mutating func apply(content: String?) -> [ConfigurationProblem] {
        guard let content else { return [] }
        guard let size = ByteSize(content), size <= Self.contentLimit else {
            let message = "expected a size such as 1024 or 64KiB, up to \(Self.contentLimit), found \"\(content)\""
            return [.option("--content", message)]
        }
        contentBytes = size
        return []
    }
}
