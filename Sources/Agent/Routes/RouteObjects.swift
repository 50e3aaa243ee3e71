// Wingmirror · Apache-2.0

package import AgentConfiguration
import JSONSyntax
import KubernetesObjects
package import ResourceFiles
package import RouteAttribution
package import TrafficPipeline

/// The route objects that a configuration names, and the table they make.
package struct RouteObjects {
    /// For whom objects are read.
    package enum Reader {
        /// A running agent, for which a file with a mistake means that none of them are taken.
        case agent
        /// A person, who wants an answer from what can be read.
        case person
    }

    /// What the files looked like before they were read.
    package let files: ResourceFileStamps
    /// What lay in them.
    package let survey: ResourceSurvey
    /// The objects.
    package let resources: RouteResources
    /// What the first table depends on besides them.
    package let environment: RouteEnvironment
    /// The compiled tables of the gateway workloads, each with routes of its own.
    package let tables: RouteTables
    /// Which workload is behind an address.
    package let places: GatewayPlaces
    /// What is wrong with objects, and files that could not be read.
    package let findings: [RouteFinding]
    /// Why the table has no routes although files were named for them; `nil` when it has some, or none were named.
    package let emptiness: String?
    /// Why no request has a route, also where no objects are named; `nil` where there are routes, or a cluster may bring some.
    package let absence: String?
    /// What was taken for granted, a sentence each: files passed over, the gateway that was assumed.
    package let notices: [String]
    /// Ports of the gateway that were named and lead to no Gateway server, a sentence each, with what to write.
    package let portMistakes: [String]
    /// The workloads that the Gateways are for, where none was chosen and the objects do not decide.
    package let undecided: [GatewayWorkload]
    /// The gateways that were found among the pods of this node, in the order of their tables; empty where none was looked for.
    let gateways: [FoundGateway]
    /// Whether nothing is known of the cluster's objects yet, so that these are only what files hold.
    let isAwaited: Bool

    /// Reads the objects and compiles them.
    ///
    /// - Parameters:
    ///   - configuration: names the files, the gateway workload and the mesh settings.
    ///   - namesServerPorts: whether ports will be those of Gateway servers, so that `gateway.ports` plays no part.
    ///   - reader: for whom.
    ///   - cluster: what is known of the cluster; `nil` where the API server is not asked.
    ///   - patterns: the patterns of the tables in force, where there are some.
    /// - Throws: paths that do not exist; for a person also that none are named; for an agent also every file that cannot be read
    ///   or understood.
    package init(
        _ configuration: Configuration,
        namesServerPorts: Bool,
        for reader: Reader = .agent,
        cluster: ClusterObjects? = nil,
        patterns: RegularExpressionCache = RegularExpressionCache()
    ) throws(CommandFailure) {
        let paths = configuration.routes.files
        guard reader == .agent || cluster != nil || !paths.isEmpty else {
            let isOfRun = configuration.routes.kubernetes.isEnabled
            throw CommandFailure(.usage, "\(isOfRun ? Self.ofRunAlone : Self.unnamedByPerson), or \(Self.ofCluster)")
        }
        self.files = ResourceFileLoader().stamps(of: paths.filter { $0 != "-" })
        let survey = try Self.survey(paths, reader)
        self.survey = survey
        var resources = RouteResources(
            decoding: survey.objects.map(LocatedObject.init),
            defaultNamespace: configuration.routes.namespace
        )
        cluster?.add(to: &resources)
        self.resources = resources
        var environment = configuration.environment
        if namesServerPorts { environment.ports = [] }
        cluster?.mesh?.apply(to: &environment, under: configuration)
        environment.holdsWholeCluster = cluster?.areWhole(configuration.routes.kubernetes) ?? false
        let found =
            configuration.findsGateways ? cluster.map { FoundGateways($0, resources, environment, configuration) } : nil
        gateways = found?.gateways ?? []
        let choice = WorkloadChoice(resources, configuration, environment)
        var environments = gateways.map { $0.environment(in: environment, configuration) }
        if gateways.isEmpty {
            if let workload = choice.taken {
                environment.namespace = workload.namespace
                environment.labels = workload.labels
            }
            environments = [environment]
            places = GatewayPlaces(configuration.gateway)
        } else {
            places = GatewayPlaces(gateways.map(\.addresses))
        }
        self.environment = environments[0]
        undecided = gateways.isEmpty ? choice.undecided : []
        let compiled = environments.map { RouteTable.compile(resources, environment: $0, patterns: patterns) }
        patterns.tablesMade()
        tables = RouteTables(compiled.map(\.table))
        let servers = Set(tables.tables.flatMap(\.serverPorts)).sorted()
        portMistakes = namesServerPorts ? [] : PortMistakes(configuration.gateway, servers: servers).sentences
        let ofMesh = cluster?.findings(of: gateways, in: configuration.environment.rootNamespace) ?? []
        findings = survey.findings + (cluster?.findings ?? []) + ofMesh + Self.merged(compiled.map(\.findings))
        isAwaited = cluster?.isAwaited ?? false
        emptiness =
            tables.routes.isEmpty ? Self.emptiness(of: resources, paths, cluster, reader, environments[0]) : nil
        let isUnnamed = paths.isEmpty && cluster == nil && !configuration.routes.kubernetes.isEnabled
        absence = emptiness ?? (isUnnamed ? Self.unnamed : nil)
        notices =
            survey.notices + (gateways.isEmpty ? choice.notices : found?.notices ?? [])
            + Self.notices(of: cluster, configuration)
    }

    /// Why no route comes of objects; `nil` where none were named.
    private static func emptiness(
        of resources: RouteResources,
        _ paths: [String],
        _ cluster: ClusterObjects?,
        _ reader: Reader,
        _ environment: RouteEnvironment
    ) -> String? {
        // An agent may be on a node without a gateway, and follows no objects then; a person has asked for them.
        let isAsked = cluster.map { reader == .person || !$0.isEmpty } ?? false
        let sources = paths + (isAsked ? ["the API server"] : [])
        guard !sources.isEmpty else { return nil }
        let reason = cluster?.lacksRouteKinds == true ? ClusterObjects.withoutRouteKinds : nil
        return "\(sources.joined(separator: ", ")): \(reason ?? resources.emptiness(environment))"
    }

    /// What to say where no route objects are named at all.
    package static let unnamed =
        "no route objects are named, so no request has a route; name them with --routes, routes.files or routes.kubernetes"

    /// The beginning of what to say to a person who has named none, and what else there is.
    private static let unnamedByPerson = "no route objects are named; name files or folders"
    private static let ofCluster = "take those of your kubeconfig's cluster with --kubernetes"

    /// What to say where the API server that the configuration names is not asked.
    private static let ofRunAlone =
        "routes.kubernetes is for `run`; this command takes routes from files, such as those of `kubectl get -o yaml`"

    /// The compiled table of the only workload, or of the first.
    package var table: RouteTable { tables.tables[0] }

    /// The findings about several workloads' tables, each once.
    ///
    /// That an object is for another workload is one only where no workload of the node is meant.
    fileprivate static func merged(_ findings: [[RouteFinding]]) -> [RouteFinding] {
        guard findings.count > 1 else { return findings.first ?? [] }
        var seen: Set<RouteFinding> = []
        let foreign = findings.map { Set($0.filter { $0.code == .otherWorkload }.map(\.object)) }
        let ofNone = foreign.dropFirst().reduce(foreign[0]) { $0.intersection($1) }
        return findings.joined().filter { finding in
            (finding.code != .otherWorkload || ofNone.contains(finding.object)) && seen.insert(finding).inserted
        }
    }

    /// What there is to know of the API server as a source.
    private static func notices(of cluster: ClusterObjects?, _ configuration: Configuration) -> [String] {
        guard let cluster else {
            guard configuration.routes.kubernetes.isEnabled else { return [] }
            return [
                ofRunAlone
            ]
        }
        func notice(_ words: String, _ kinds: [String]) -> [String] {
            kinds.isEmpty ? [] : ["these kinds \(words), so the routes may differ: \(kinds.joined(separator: ", "))"]
        }
        return notice("may not be read", cluster.refusedKinds)
            + notice("cannot be read", cluster.missingKinds.map { "\($0.kind) (\($0.trouble.rawValue))" })
    }

    /// Reads the files.
    package static func survey(_ paths: [String], _ reader: Reader) throws(CommandFailure) -> ResourceSurvey {
        let survey: ResourceSurvey
        do throws(ResourceFileError) {
            survey = try ResourceFileLoader().survey(paths)
        } catch {
            throw CommandFailure(.usage, error.problems)
        }
        // A half-written folder never stands for the whole where traffic is counted by it.
        if reader == .agent, !survey.unreadable.isEmpty {
            throw CommandFailure(.usage, survey.unreadable.map { "\($0.file):\($0.line): \($0.message)" })
        }
        return survey
    }

    /// What `routes check` finds: what is wrong with objects, and what is valid and can hardly be meant.
    package var allFindings: [RouteFinding] { lint.findings }

    /// What is needed to find it, without the manifests of files.
    var lint: Lint { Lint(resources: resources, tables: tables, known: findings) }

    /// The objects and tables as lints look at them, which takes longer than making the tables.
    struct Lint: Sendable {
        fileprivate let resources: RouteResources
        fileprivate let tables: RouteTables
        /// What was found out while decoding and compiling.
        fileprivate let known: [RouteFinding]

        /// What is wrong with objects, and what is valid and can hardly be meant.
        var findings: [RouteFinding] {
            let lints = tables.tables.map { RouteLint(resources, table: $0).findings }
            return resources.located(known + RouteObjects.merged(lints))
        }
    }

    /// The same objects as another workload would serve them.
    package func findings(for workload: GatewayWorkload) -> (findings: [RouteFinding], routeCount: Int) {
        var environment = environment
        environment.namespace = workload.namespace
        environment.labels = workload.labels
        let (table, found) = RouteTable.compile(resources, environment: environment)
        let all = survey.findings + found + RouteLint(resources, table: table).findings
        // That the others are served by other pods is what was asked for.
        return (all.filter { $0.code != .otherWorkload }, table.routes.count)
    }

    /// Refuses to answer from what is left where a file that was named could not be read at all.
    package func requireNamedFiles() throws(CommandFailure) {
        let unread = survey.unreadable.filter(\.isUnread)
        guard unread.isEmpty else { throw CommandFailure(.usage, unread.map { "\($0.file): \($0.message)" }) }
    }

    /// Refuses to answer where the objects are for several gateways and none was chosen.
    package func requireWorkload() throws(CommandFailure) {
        guard undecided.count > 1 else { return }
        throw CommandFailure(
            .usage,
            ["the Gateways are for \(undecided.count) workloads, which share nothing; say which is meant:"]
                + undecided.map { "  \($0.options)" }
        )
    }
}

extension ResourceSurvey {
    /// Files with a mistake, as findings.
    package var findings: [RouteFinding] {
        unreadable.map { file in
            RouteFinding(
                object: ObjectIdentity(kind: "File", namespace: "", name: file.file),
                severity: .error,
                code: .unreadableFile,
                path: "",
                message: file.message,
                location: ObjectLocation(file: file.file, line: file.line)
            )
        }
    }

    /// What was passed over, and the commands that render it.
    package var notices: [String] {
        guard let summary else { return [] }
        guard !renderings.isEmpty else { return [summary] }
        let shown = renderings.prefix(3).map { "`\($0) | wingmirror routes check -`" }.joined(separator: ", ")
        let rest = renderings.count > 3 ? " and \(renderings.count - 3) more" : ""
        return ["\(summary); to check what they render: \(shown)\(rest)"]
    }
}

/// Which gateway workload the objects are looked at for.
struct WorkloadChoice {
    /// The workload that takes the place of the configured one; `nil` to keep that.
    private(set) var taken: GatewayWorkload?
    /// The workloads, where there are several and none was chosen.
    private(set) var undecided: [GatewayWorkload] = []
    /// What was taken, in words.
    private(set) var notices: [String] = []

    init(_ resources: RouteResources, _ configuration: Configuration, _ environment: RouteEnvironment) {
        guard !configuration.gateway.isChosen else { return }
        let workloads = resources.gatewayWorkloads(environment)
        if workloads.count == 1, let only = workloads.first, !only.isDefault {
            taken = only
            notices = [
                "the gateway is taken to be the pods with \(only), the only ones that the Gateways are for "
                    + "(gateway.labels and gateway.namespace, or \(only.options))"
            ]
        } else if workloads.count > 1, workloads.first?.isDefault != true || workloads.contains(where: \.isOfGatewayAPI)
        {
            undecided = workloads
        }
    }
}

extension RouteObjects {
    /// Says on standard error which objects, or parts of them, do not count; the rest of the table is used.
    package func warnOfErrors() {
        for finding in findings where finding.severity == .error {
            StandardError.say("warning: \(finding.line)")
        }
        for sentence in portMistakes { StandardError.say("warning: \(sentence)") }
        for notice in notices { StandardError.say(notice) }
        if let emptiness { StandardError.say("warning: \(emptiness)") }
    }

    /// Says on standard error what was passed over and taken for granted.
    package func warnOfNotices() {
        for notice in notices { StandardError.say(notice) }
        for finding in survey.findings { StandardError.say("warning: \(finding.line)") }
        if let emptiness { StandardError.say("warning: \(emptiness)") }
    }
}

extension RouteFinding {
    /// That no request has a route, as a finding about the setting that names the objects.
    ///
    /// - Parameter reason: Why there is none, in one sentence.
    /// - Returns: The finding.
    static func noRoutes(_ reason: String) -> RouteFinding {
        RouteFinding(
            object: ObjectIdentity(kind: "Setting", namespace: "", name: "routes"),
            severity: .error,
            code: .noRoutes,
            path: "",
            message: reason
        )
    }

    /// That what was read last is not in force, as a finding about the setting that names it.
    ///
    /// - Parameters:
    ///   - setting: What was read: the configuration, or the routes alone.
    ///   - lines: Why it was refused.
    /// - Returns: The finding.
    static func refusedReload(of setting: String, because lines: [String]) -> RouteFinding {
        let more = lines.count > 1 ? " (and \(lines.count - 1) more)" : ""
        return RouteFinding(
            object: ObjectIdentity(kind: "Setting", namespace: "", name: setting),
            severity: .error,
            code: .reloadRefused,
            path: "",
            message: "the latest reload was refused, and what was in force before it stays: \(lines.first ?? "")\(more)"
        )
    }

    /// The finding as one line: object, field, sentence; the field once, where the sentence begins with it.
    package var line: String {
        "\(object)\(path.isEmpty || message.hasPrefix(path) ? "" : " \(path)"): \(message)"
    }
}

extension LocatedObject {
    fileprivate init(_ object: SurveyedObject) {
        self.init(
            value: object.value,
            location: ObjectLocation(file: object.file, line: object.line),
            namespace: object.namespace
        )
    }
}
