// Wingmirror · Apache-2.0

import AgentConfiguration
import ArgumentParser

/// The options of commands that read pcap files.
struct SavefileOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp("Files in pcap or pcapng format, gzipped or not; - is standard input.", valueName: "file"),
        completion: .file()
    )
    var savefiles: [String] = []

    @OptionGroup var shared: SharedOptions

    /// The configuration file with all options laid over it, and whether it says what it can say.
    ///
    /// A file that could not be read says nothing about what is missing in it.
    func configuration(_ problems: inout [ConfigurationProblem]) -> (configuration: Configuration, isComplete: Bool) {
        var configuration = shared.configuration(&problems)
        let isComplete = problems.isEmpty || shared.objects.config == nil
        if !savefiles.isEmpty {
            configuration.capture.savefiles = savefiles
        }
        return (configuration, isComplete)
    }
}

extension CompletionKind {
    /// The names of this machine's interfaces, as Linux lists them.
    static var interfaces: CompletionKind { .shellCommand("ls /sys/class/net; echo any; echo auto") }
}

/// The options of commands that capture on interfaces or read pcap files in their stead.
struct SourceOptions: ParsableArguments {
    @OptionGroup var files: SavefileOptions

    @Option(
        name: [.short, .customLong("interface")],
        parsing: .singleValue,
        help: ArgumentHelp("An interface to capture on, any, or auto; may be repeated.", valueName: "name"),
        completion: .interfaces
    )
    var interfaces: [String] = []

    /// The options that all commands share.
    var shared: SharedOptions { files.shared }

    /// Whether the command line names a source.
    var namesSource: Bool { !interfaces.isEmpty || !files.savefiles.isEmpty }

    /// The configuration file with all options laid over it: sources on the command line replace all of the file's.
    ///
    /// - Parameters:
    ///   - problems: Gets every mistake.
    ///   - otherSources: What else the command takes figures from, as its message about a missing source has it.
    ///   - needsSource: Whether it is a mistake to name no source at all.
    /// - Returns: The configuration, and whether it says what it can say.
    func configuration(
        _ problems: inout [ConfigurationProblem],
        otherSources: String = "",
        needsSource: Bool = true
    ) -> (configuration: Configuration, isComplete: Bool) {
        var (configuration, isComplete) = files.configuration(&problems)
        if namesSource {
            configuration.capture.interfaces = interfaces == ["auto"] ? .automatic : .named(interfaces)
            configuration.capture.savefiles = files.savefiles
        }
        if !interfaces.isEmpty, !files.savefiles.isEmpty {
            problems.append(
                .option("--interface", "pcap files and interfaces cannot be read in one run; name one or the other")
            )
        }
        if needsSource, isComplete, configuration.capture.interfaces == .named([]),
            configuration.capture.savefiles.isEmpty
        {
            let places = "use --interface NAME, capture.interfaces, \(otherSources)or name pcap files"
            problems.append(.option("--interface", "no source is named: \(places)"))
        }
        return (configuration, isComplete)
    }
}

extension ConfigurationProblem {
    /// A pace where no pcap files are read.
    static var paceInVain: ConfigurationProblem {
        .option("--pace", "goes with pcap files; packets of an interface come when they come")
    }
}

extension CaptureConfiguration {
    /// Takes `--loop` and the value of `--pace`, as far as they are there.
    mutating func apply(pace: String?, loop: Bool = false) -> [ConfigurationProblem] {
        let problems = apply(pace)
        guard loop else { return problems }
        self.loop = true
        if pace == nil { self.pace = .realtime }
        return problems + (loopRefusal.map { [.option("--loop", $0)] } ?? [])
    }

    private mutating func apply(_ pace: String?) -> [ConfigurationProblem] {
        guard let pace else { return [] }
        guard let known = Pace(rawValue: pace) else {
            let known = Pace.allCases.map(\.rawValue).joined(separator: ", ")
            return [.option("--pace", "expected one of \(known), found \"\(pace)\"")]
        }
        self.pace = known
        return []
    }
}
