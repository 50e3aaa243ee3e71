// Wingmirror · Apache-2.0

import ArgumentParser

/// `replay`: sends a recording to a target.
struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Send recorded requests to a target and compare the answers.",
        discussion: """
            A recording is a file of request records made with --fields and --content, a .gor file of this program or of \
            GoReplay, a HAR file, or a pcap file; each may be gzipped, and several are merged by time. Requests are sent on the \
            recorded schedule; late ones are sent too. With --ordered the requests of one connection wait for each other's \
            answers, as they did when a client sent them.

            The rules of mirroring apply: only safe methods unless --methods names others, no credentials unless \
            --keep-field does, only complete requests, and each marked as a copy. A target that is production by the \
            recording's own Host headers is refused unless --allow-host names it. An interrupt ends the replay and prints \
            the summary. Responses that could be compared in part only are counted apart from those that are the same.

            Examples:
              wingmirror replay capture.pcap --speed 2x \\
                  --target http://staging.example.internal:8080
              wingmirror replay requests_*.gor --target http://127.0.0.1:9000 \\
                  --rate 100/s --loop 10 --output ndjson
            """
    )

    @Argument(
        help: ArgumentHelp(
            "Recordings: request records, .gor, HAR or pcap files; - is standard input.",
            valueName: "recording"
        ),
        completion: .file()
    )
    var recordings: [String] = []

    @Option(help: ArgumentHelp("Send to this server: scheme, host and port.", valueName: "url"))
    var target: String?

    @Option(
        help: ArgumentHelp(
            "For https: the target's certificate has to lead to one of this file (PEM); else to one of the system's.",
            valueName: "file"
        ),
        completion: .file()
    )
    var caFile: String?

    @Option(
        help: ArgumentHelp("Speed relative to the recording, such as 2x or 50%; 1x by default.", valueName: "speed")
    )
    var speed: String?

    @Option(help: ArgumentHelp("At this rate instead, such as 100/s.", valueName: "rate"))
    var rate: String?

    @Option(help: ArgumentHelp("How many times to send everything.", valueName: "count"))
    var loop = 1

    @Option(help: ArgumentHelp("Send only this share, chosen by trace id, request id or client.", valueName: "percent"))
    var percent = 100.0

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("Send these methods too, such as POST,PUT; may be repeated.", valueName: "methods")
    )
    var methods: [String] = []

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("Send this header although it carries credentials; may be repeated.", valueName: "header")
    )
    var keepField: [String] = []

    @Option(help: ArgumentHelp("The Host header: the target's host, or the original one.", valueName: "host"))
    var host = "target"

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "A host that may be sent to; the target's must be among them; may be repeated.",
            valueName: "host"
        )
    )
    var allowHost: [String] = []

    @Option(help: ArgumentHelp("How long an answer may take.", valueName: "duration"))
    var timeout = "10s"

    @Option(help: ArgumentHelp("The most requests without an answer.", valueName: "count"))
    var inFlight = 64

    @Flag(help: "Send no request before the one before it on its connection is answered.")
    var ordered = false

    @Option(help: ArgumentHelp("Read only packets of pcap files that match this libpcap filter.", valueName: "bpf"))
    var filter: String?

    @Option(
        help: ArgumentHelp(
            "Decrypt TLS in pcap files with the secrets in this key log, as Envoy, curl and browsers write it.",
            valueName: "file"
        ),
        completion: .file()
    )
    var keyLog: String?

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("What to print: a table, or a line of JSON for each request.", valueName: "output"),
        completion: .list(ReplayPlan.Output.allCases.map(\.rawValue))
    )
    var output = "table"

    mutating func run() async throws {
        try await ReplayPlan(self).execute()
    }
}
