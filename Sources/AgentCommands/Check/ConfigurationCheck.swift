// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import JSONSyntax
import PacketCapture
import ResourceFiles
import RouteAttribution
import ShadowTesting
import TrafficModel
import TrafficPipeline

/// All that can be found out about a configuration without starting anything.
struct ConfigurationCheck: Sendable {
    private let configuration: Configuration
    private let table: RouteTable
    private let findings: [RouteFinding]
    private let portMistakes: [String]
    private let notices: [String]
    private let isUnnamed: Bool
    private let start: StartRefusals
    private let isFile: Bool
    private let objectCount: Int
    /// Why there are no routes although files were named for them; `nil` where there are some, or may yet come of a cluster.
    let emptiness: String?
    private let series: SeriesEstimate
    private let budget: MemoryBudget
    private let memory: MemoryEstimate

    /// Checks what the configuration names: credentials, filter, route objects, and the targets of copies.
    ///
    /// - Parameters:
    ///   - configuration: The configuration, which is valid by itself.
    ///   - isFile: Whether a configuration file was named, which may be expected to name a source.
    /// - Throws: `CommandFailure` when there is no table to speak of: files that cannot be read or understood.
    init(_ configuration: Configuration, isFile: Bool = false) async throws {
        self.isFile = isFile
        self.configuration = configuration
        var problems: [String] = []
        do throws(ConfigurationProblems) {
            _ = try configuration.admin.credentials()
        } catch {
            problems += error.problems.map(\.description)
        }
        do throws(CaptureError) {
            try configuration.liveFilter.validate()
        } catch {
            problems.append("capture.filter: \(error)")
        }
        do throws(MirrorPlanError) {
            _ = try MirrorPlan(
                policies: configuration.mirror.policies,
                targets: Set(configuration.mirror.targets.map(\.name))
            )
        } catch {
            problems.append("mirror: \(error)")
        }
        budget = MemoryBudget.current(configuration.limits)
        if let refusal = configuration.capture.keep.refusal(within: budget) { problems.append(refusal) }
        let objects: RouteObjects
        do throws(CommandFailure) {
            objects = try RouteObjects(configuration, namesServerPorts: false)
        } catch {
            throw CommandFailure(.usage, problems + error.lines)
        }
        guard problems.isEmpty else { throw CommandFailure(.usage, problems) }
        objectCount = objects.survey.objects.count
        table = objects.table
        let check = RouteCheck(objects)
        findings = check.findings
        portMistakes = objects.portMistakes
        let comeFromFiles = !configuration.routes.kubernetes.isEnabled
        emptiness = comeFromFiles ? objects.emptiness : nil
        isUnnamed = comeFromFiles && configuration.routes.files.isEmpty
        notices = check.notices + (isUnnamed ? [RouteObjects.unnamed] : [])
        start = await StartRefusals(configuration, table: table)
        series = SeriesEstimate(table, metrics: configuration.metricsSettings)
        let reassembly = configuration.reassemblyLimits(within: MemoryBudget.shared(configuration).octets)
        memory = MemoryEstimate(configuration, reassembly, lines: series.lines)
    }

    /// What is wrong with objects, and what an agent would refuse to start with, one line each.
    var errors: [String] {
        findings.filter { $0.severity == .error }.map(\.line) + start.refusals
    }

    private var warnings: [String] {
        findings.filter { $0.severity == .warning }.map(\.line) + portMistakes + start.warnings + sourceWarnings
            + mirrorWarnings
    }

    /// That the file names no source, which `run` refuses unless its command line does.
    private var sourceWarnings: [String] {
        let isMissing = configuration.capture.interfaces == .named([]) && configuration.capture.savefiles.isEmpty
        guard isFile, isMissing else { return [] }
        return ["capture: no source is named: run needs capture.interfaces, --interface or pcap files"]
    }

    /// What was found out, as text.
    func lines(_ style: TerminalStyle) -> [String] {
        let routes = table.routes.count == 1 ? "1 route" : "\(table.routes.count) routes"
        let objects = objectCount == 1 ? "1 object" : "\(objectCount) objects"
        let errorCount = errors.count
        let verdict =
            if errorCount > 0 {
                style.apply(.alarm, to: "not valid")
            } else if emptiness != nil || isUnnamed {
                style.apply(emptiness == nil ? .warning : .alarm, to: "no routes")
            } else {
                style.apply(warnings.isEmpty ? .good : .warning, to: "ok")
            }
        let counts = [(errorCount, "error"), (warnings.count, "warning")].map { "\($0) \($1)\($0 == 1 ? "" : "s")" }
        var lines = [
            "\(verdict)  \(routes) from \(objects), \(table.gateways.count) of its Gateways used; "
                + counts.joined(separator: ", ")
        ]
        lines += notices.map { "    \($0.withVisibleControls)" }
        if !warnings.isEmpty {
            lines += ["", style.apply(.bold, to: "Warnings")] + warnings.map { "  \($0.withVisibleControls)" }
        }
        lines += ["", style.apply(.bold, to: "Series, estimated for a busy day")] + seriesTable.lines(style)
        lines.append(
            "  A destination that carries WebSockets has \(series.linesPerWebSocketRoute) lines more; one that carries gRPC without a "
                + "GRPCRoute \(series.linesPerCallRoute)."
        )
        lines += ["", style.apply(.bold, to: "Memory, at most")] + memoryTable.lines(style)
        lines += concerns(style)
        return lines + ["", style.apply(.dim, to: "configuration sha256 \(configuration.digest)")]
    }

    /// What should be known of the mirroring policies, in force or not.
    private var mirrorWarnings: [String] {
        PolicyWarnings.sentences(
            for: configuration.mirror.policies,
            routes: table.routes.map { RouteName($0) },
            hosts: Array(Set(table.routes.flatMap(\.hosts)))
        )
    }

    /// What was found out, as JSON.
    var document: JSONValue {
        [
            "valid": .bool(errors.isEmpty),
            "errors": .array(errors.map { .string($0) }),
            "warnings": .array(warnings.map { .string($0) }),
            "notices": .array(notices.map { .string($0) }),
            "objects": JSONValue(objectCount),
            "routes": JSONValue(table.routes.count),
            "gateways": JSONValue(table.gateways),
            "configurationSHA256": .string(configuration.digest),
            "series": .array(
                series.families.map { family in
                    [
                        "family": .string(family.name), "labelSets": JSONValue(family.labelSets),
                        "lines": JSONValue(family.lines), "folded": .bool(family.folds != nil),
                    ]
                }
            ),
            "linesPerWebSocketRoute": JSONValue(series.linesPerWebSocketRoute),
            "linesPerGRPCRoute": JSONValue(series.linesPerCallRoute),
            "memory": .array(
                memory.parts.map { ["part": .string($0.name), "bytes": JSONValue($0.octets)] }
            ),
            "memoryBytes": JSONValue(memory.octets),
            "memoryLimitBytes": JSONValue(budget.octets),
        ]
    }

    private var seriesTable: TextTable {
        var table = TextTable([
            .init(title: "FAMILY", isFigure: false, shortest: 20), .init(title: "LABEL SETS"), .init(title: "LINES"),
            .init(title: "", isFigure: false, yield: 1),
        ])
        for family in series.families {
            table.append([
                .init(family.name), .init(HumanUnits.count(UInt64(family.labelSets))),
                .init(HumanUnits.count(UInt64(family.lines))),
                .init(Self.fold(family.folds), .warning),
            ])
        }
        table.append(["all", "", .init(HumanUnits.count(UInt64(series.lines)), .bold), ""])
        return table
    }

    /// What `metrics.seriesLimit` does to a family.
    private static func fold(_ fold: SeriesEstimate.Fold?) -> String {
        switch fold {
        case .detail: "at metrics.seriesLimit: methods and codes are folded"
        case .routes: "at metrics.seriesLimit: some routes are folded"
        case nil: ""
        }
    }

    private var memoryTable: TextTable {
        var table = TextTable([.init(title: "", isFigure: false, shortest: 12), .init(title: "")])
        for part in memory.parts {
            table.append([.init(part.name), .init(HumanUnits.octets(UInt64(part.octets)))])
        }
        table.append(["all", .init(HumanUnits.octets(UInt64(memory.octets)), .bold)])
        return table
    }

    private func concerns(_ style: TerminalStyle) -> [String] {
        let passing =
            seesOtherNodes
            ? [
                style.apply(
                    .warning,
                    to:
                        "gateway.addresses names no address: this node's routes say which requests only pass through it to a gateway "
                        + "on another node; where they do not say, such requests are counted on both nodes"
                )
            ] : []
        return passing + memoryConcerns(style)
    }

    /// Whether what passes by cannot be told from what arrives: all interfaces are captured, and no address is known.
    private var seesOtherNodes: Bool {
        configuration.gateway.addresses.isEmpty && configuration.seesAllInterfaces
    }

    private func memoryConcerns(_ style: TerminalStyle) -> [String] {
        guard memory.octets > budget.octets else { return [] }
        let text =
            "more than the \(HumanUnits.octets(UInt64(budget.octets))) that the agent keeps within (\(budget.origin)): "
            + "lower limits.connections or capture.ringBytes for a machine that may meet these bounds"
        return [style.apply(.warning, to: text)]
    }
}
