// Wingmirror · Apache-2.0

import AgentConfiguration
import ArgumentParser
import Logging
import RouteAttribution

extension ConfigurationProblem {
    /// A port that there cannot be.
    static func portRefusal(_ port: Int) -> ConfigurationProblem {
        .option("--port", "expected a port from 1 to 65535, found \(port)")
    }
}

/// The options that say where the route objects are and which gateway they are for; each is also a key of the configuration
/// file, and wins over it.
struct ObjectOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Read the configuration from this file.", valueName: "file"),
        completion: .file()
    )
    var config: String?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Take route objects from this file or folder, or - for standard input; may be repeated.",
            valueName: "path"
        ),
        completion: .file()
    )
    var routes: [String] = []

    @Option(help: ArgumentHelp("The namespace of objects that name none. (default: default)", valueName: "name"))
    var namespace: String?

    @Option(
        help: ArgumentHelp(
            "The labels of the gateway's pods, such as istio=ingress, separated by commas.",
            valueName: "labels"
        )
    )
    var gatewaySelector: String?

    @Option(help: ArgumentHelp("The namespace of the gateway's pods.", valueName: "name"))
    var gatewayNamespace: String?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            """
            A port of the gateway's pods, and the Gateway server's port it stands for; may be repeated. \
            (default: 80, 8080:80)
            """,
            valueName: "pod[:server]"
        )
    )
    var gatewayPort: [String] = []

    /// The configuration file, if one is named, with the options laid over it.
    ///
    /// - Throws: Every mistake in the file and among the options.
    func configuration() throws(ConfigurationProblems) -> Configuration {
        var problems: [ConfigurationProblem] = []
        let configuration = configuration(&problems)
        guard problems.isEmpty else { throw ConfigurationProblems(problems) }
        return configuration
    }

    /// The configuration file, if one is named, with the options laid over it; every mistake is added to `problems`.
    func configuration(_ problems: inout [ConfigurationProblem]) -> Configuration {
        var configuration = Configuration()
        if let config {
            do throws(ConfigurationProblems) {
                configuration = try Configuration.load(path: config)
            } catch {
                problems += error.problems
            }
        }
        problems += apply(to: &configuration)
        return configuration
    }

    private func apply(to configuration: inout Configuration) -> [ConfigurationProblem] {
        var problems = applyGatewayPorts(to: &configuration)
        if !routes.isEmpty {
            configuration.routes.files = routes
        }
        if let namespace { configuration.routes.namespace = namespace }
        problems += applyWorkload(to: &configuration)
        return problems
    }

    private func applyWorkload(to configuration: inout Configuration) -> [ConfigurationProblem] {
        if let gatewayNamespace {
            configuration.gateway.namespace = gatewayNamespace
            configuration.gateway.isChosen = true
        }
        guard let gatewaySelector else { return [] }
        var labels: [String: String] = [:]
        for pair in gatewaySelector.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if let name = parts.first.map(String.init), labels[name] != nil {
                return [.option("--gateway-selector", "a pod has one value for each label, and \(name) is given twice")]
            }
            guard parts.count == 2, !parts[0].isEmpty else {
                return [
                    .option(
                        "--gateway-selector",
                        "expected labels such as istio=ingress,app=edge, found \"\(gatewaySelector)\""
                    )
                ]
            }
            labels[String(parts[0])] = String(parts[1])
        }
        configuration.gateway.labels = labels
        configuration.gateway.isChosen = true
        return []
    }

    private func applyGatewayPorts(to configuration: inout Configuration) -> [ConfigurationProblem] {
        guard !gatewayPort.isEmpty else { return [] }
        let ports = gatewayPort.map { ($0, GatewayPort(argument: $0)) }
        configuration.gateway.ports = ports.compactMap(\.1)
        var problems = ports.filter { $0.1 == nil }.map { text, _ in
            ConfigurationProblem.option(
                "--gateway-port",
                "expected POD or POD:SERVER, such as 8080:80, found \"\(text)\""
            )
        }
        if let repeated = configuration.gateway.ports.firstRepetition(of: \.pod) {
            problems.append(.option("--gateway-port", "pod port \(repeated.pod) is given twice"))
        }
        return problems
    }
}

/// The options that say how traffic is read; each is also a key of the configuration file, and wins over it.
struct TrafficOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Take only packets that this libpcap filter matches.", valueName: "bpf"))
    var filter: String?

    @Option(
        help: ArgumentHelp(
            "Log lines of this level and above: trace, debug, info, notice, warning, error or critical. (default: info)",
            valueName: "level"
        ),
        completion: .list(["trace", "debug", "info", "notice", "warning", "error", "critical"])
    )
    var logLevel: String?

    @Option(
        help: ArgumentHelp(
            "Decrypt TLS with the secrets in this key log, as Envoy, curl and browsers write it.",
            valueName: "file"
        ),
        completion: .file()
    )
    var keyLog: String?

    /// Lays the options over a configuration.
    ///
    /// - Parameter configuration: The configuration.
    /// - Returns: Every mistake among them.
    func apply(to configuration: inout Configuration) -> [ConfigurationProblem] {
        var problems: [ConfigurationProblem] = []
        if let filter {
            configuration.capture.filter = filter == "auto" ? .automatic : .expression(filter)
        }
        if let logLevel {
            if let level = Logger.Level(rawValue: logLevel) {
                configuration.log.level = level
            } else {
                let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
                problems.append(.option("--log-level", "expected one of \(levels), found \"\(logLevel)\""))
            }
        }
        if let keyLog { configuration.tls.keyLog = keyLog }
        return problems
    }

    /// Reports the options where no traffic is read.
    ///
    /// - Parameter problems: Where it is added.
    func refuse(_ problems: inout [ConfigurationProblem]) {
        for (name, value) in [("--filter", filter), ("--key-log", keyLog)] where value != nil {
            problems.append(.option(name, "no traffic is read here; leave it out"))
        }
        if logLevel != nil { problems.append(.option("--log-level", "nothing is logged here; leave it out")) }
    }
}

/// The options that all commands share which read traffic.
struct SharedOptions: ParsableArguments {
    @OptionGroup var objects: ObjectOptions
    @OptionGroup var traffic: TrafficOptions

    /// The configuration file, if one is named, with the options laid over it.
    ///
    /// - Throws: Every mistake in the file and among the options.
    func configuration() throws(ConfigurationProblems) -> Configuration {
        var problems: [ConfigurationProblem] = []
        let configuration = configuration(&problems)
        guard problems.isEmpty else { throw ConfigurationProblems(problems) }
        return configuration
    }

    /// The configuration file, if one is named, with the options laid over it; every mistake is added to `problems`.
    func configuration(_ problems: inout [ConfigurationProblem]) -> Configuration {
        var configuration = objects.configuration(&problems)
        problems += traffic.apply(to: &configuration)
        return configuration
    }
}
