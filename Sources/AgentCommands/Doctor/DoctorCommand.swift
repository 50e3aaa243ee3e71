// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import ArgumentParser
import JSONSyntax
import PacketCapture
import PacketDecoding

/// `doctor`: says what this machine allows, and what helps where it does not.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Say what this machine allows: permission, filter, interfaces, ring size, drops, listeners, clocks.",
        discussion: """
            Exits with 3 if the permission to capture is missing, with 1 if something else would keep `run` from working, \
            and with 0 if there are only warnings. The agent that runs on this machine, where one listens on metrics.listen \
            or admin.listen, is asked for the filter in force and whether the clocks of its interfaces agree.

            Examples:
              wingmirror doctor --interface eth0
              wingmirror doctor --config /etc/wingmirror/wingmirror.yaml
            """
    )

    @Option(
        name: [.short, .customLong("interface")],
        parsing: .singleValue,
        help: ArgumentHelp("An interface to look at, any, or auto; may be repeated.", valueName: "name"),
        completion: .interfaces
    )
    var interfaces: [String] = []

    @OptionGroup var format: ReportFormatOption

    @OptionGroup var shared: SharedOptions

    mutating func run() async throws {
        let format = try format.format()
        let configuration = try examinedConfiguration()
        let findings = try Self.findings(configuration) + (await AgentExamination(configuration).findings())
        var output = OctetOutput.standardOutput()
        switch format {
        case .text: for line in findings.lines(Terminal.style(1)) { try output.append(line: line) }
        case .json: try output.append(JSONValue.array(findings.map(\.document)).indented())
        }
        try output.flush()
        if !Capabilities.current.mayCapture {
            throw CommandFailure(
                .permission,
                "capturing needs CAP_NET_RAW; grant it with: \(Capabilities.grantCommand)"
            )
        }
        let failures = findings.count { $0.verdict == .fail }
        if failures > 0 {
            throw CommandFailure(.failed, "\(failures) of \(findings.count) checks failed")
        }
    }

    /// The configuration, with the interfaces that options name in place of its own.
    func examinedConfiguration() throws -> Configuration {
        var problems: [ConfigurationProblem] = []
        var configuration = shared.configuration(&problems)
        let objects = shared.objects
        for (name, isGiven) in [("--routes", !objects.routes.isEmpty), ("--namespace", objects.namespace != nil)]
        where isGiven {
            problems.append(.option(name, "routes are not looked at here; wingmirror check does that"))
        }
        guard problems.isEmpty else { throw ConfigurationProblems(problems) }
        if !interfaces.isEmpty {
            configuration.capture.interfaces = interfaces == ["auto"] ? .automatic : .named(interfaces)
        }
        return configuration
    }

    private static func findings(_ configuration: Configuration) throws -> [Finding] {
        let interfaces: [NetworkInterface]
        do throws(CaptureError) {
            interfaces = try NetworkInterface.all()
        } catch {
            throw CommandFailure(.failed, error.description)
        }
        let capture = CaptureExamination(
            configuration: configuration,
            interfaces: interfaces,
            capabilities: .current
        )
        let gateway = GatewayExamination(
            gateway: configuration.gateway,
            sockets: .current(),
            machineAddresses: interfaces.flatMap(\.addresses),
            findsGateways: configuration.findsGateways
        )
        return capture.findings() + gateway.findings() + [memoryFinding(configuration), keyLogFinding(configuration)]
    }

    /// Whether TLS will be read, and what would make it so.
    private static func keyLogFinding(_ configuration: Configuration) -> Finding {
        let path = configuration.tls.keyLog
        guard !path.isEmpty else {
            return Finding(
                verdict: .ok,
                subject: "tls",
                detail: "not decrypted: connections are counted, with the server name they ask for",
                remedy: "to read it, let the gateway write a key log and set tls.keyLog; see the guide DecryptTLS"
            )
        }
        let examination = KeyLogExamination(configuration.tls)
        return Finding(
            verdict: examination.isUsable ? .ok : .fail,
            subject: "tls",
            detail: "\(path): \(examination.detail)",
            remedy: examination.remedy
        )
    }

    private static func memoryFinding(_ configuration: Configuration) -> Finding {
        let budget = MemoryBudget.current(configuration.limits)
        let detail = "the agent keeps within \(HumanUnits.octets(UInt64(budget.octets))): \(budget.origin)"
        guard budget.octets >= MemoryBudget.comfortable else {
            return Finding(
                verdict: .warn,
                subject: "memory",
                detail: detail,
                remedy:
                    "give it \(HumanUnits.octets(UInt64(MemoryBudget.comfortable))) or more, or lower limits.connections"
            )
        }
        return Finding(verdict: .ok, subject: "memory", detail: detail)
    }
}
