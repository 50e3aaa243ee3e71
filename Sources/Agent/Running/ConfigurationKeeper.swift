// Wingmirror · Apache-2.0

import AdminServer
import AgentConfiguration
import Logging
import OctetText
import PacketCapture
import ResourceFiles
import RouteAttribution
import Synchronization
import TrafficPipeline

/// Keeps the configuration in force, and replaces it as a whole or not at all.
///
/// Reading takes as long as the file system and the number of objects have it, so whatever reads is called on one thread that
/// nothing else needs (`ConfigurationLoader`); what is in force can be asked for from anywhere.
final class ConfigurationKeeper: Sendable {
    private let reread: @Sendable () throws(ConfigurationProblems) -> Configuration
    private let routes: RouteKeeper
    private let mirroring: Mirroring
    private let cluster: ClusterSource?
    private let certificate: AdminCertificate?
    private let control: CaptureControl?
    private let shedding: LoadShedding
    private let logs: LogSettings
    private let logger: Logger
    /// The patterns of the tables in force.
    private let patterns = RegularExpressionCache()
    private let state: Mutex<State>
    /// Held from the reading of objects until their table is in force, so that no reading overtakes a later one.
    private let replacement = Mutex(())
    /// Makes the tables.
    private let compile: Compilation

    /// Makes tables of a configuration and what is known of the cluster.
    typealias Compilation =
        @Sendable (Configuration, ClusterObjects?, RegularExpressionCache) throws(CommandFailure) -> RouteObjects

    /// What others may ask for.
    struct State: Sendable {
        /// The configuration in force.
        var configuration: Configuration
        /// Its digest.
        var digest: String
        /// The credentials in force.
        var credentials: AdminCredentials
        /// Reloads of the configuration, which read the routes too.
        var reloads = Reloads()
        /// Reloads of the routes alone, after their files have changed.
        var routeReloads = Reloads()
        /// What was wrong with the objects that were read last, so that it is logged once.
        var errors: Set<RouteFinding> = []
        /// Which ports of the gateway led to no server of the objects that were read last, in sentences.
        var portMistakes: [String] = []
        /// When the configuration in force was read, in nanoseconds since the Unix epoch.
        var readAt: Int64
    }

    /// What came of attempts to replace something that is in force.
    struct Reloads: Sendable, Equatable {
        /// Those that put something new in force.
        var accepted: UInt64 = 0
        /// Those that changed nothing, because something was wrong.
        var rejected: UInt64 = 0
        /// Why what was read last is not in force, a line each; empty where it is.
        var refusal: [String] = []
        /// Whether what was read last is in force.
        var isLatestGood: Bool { refusal.isEmpty }
    }

    /// Starts with a configuration that has been checked.
    ///
    /// - Parameters:
    ///   - plan: The configuration, and how it is read again.
    ///   - credentials: What the endpoints ask for.
    ///   - routes: The tables.
    ///   - mirroring: The shadow traffic.
    ///   - cluster: What is known of the cluster; `nil` where routes come from files.
    ///   - control: Gives the running capture other interfaces or another filter; `nil` where pcap files are read.
    ///   - shedding: Where is said how much memory reading will take.
    ///   - certificate: What the endpoints are served with; `nil` for plain HTTP.
    ///   - logs: The log.
    ///   - compile: Makes the tables.
    init(
        _ plan: RunPlan,
        credentials: AdminCredentials,
        routes: RouteKeeper,
        mirroring: Mirroring,
        cluster: ClusterSource? = nil,
        control: CaptureControl? = nil,
        shedding: LoadShedding = LoadShedding(),
        certificate: AdminCertificate? = nil,
        logs: LogSettings,
        compile: @escaping Compilation = { configuration, cluster, patterns throws(CommandFailure) in
            try RouteObjects(configuration, namesServerPorts: false, cluster: cluster, patterns: patterns)
        }
    ) {
        self.compile = compile
        self.shedding = shedding
        reread = plan.reread
        self.cluster = cluster
        self.certificate = certificate
        self.control = control
        self.routes = routes
        self.mirroring = mirroring
        self.logs = logs
        logger = logs.logger("configuration")
        state = Mutex(
            State(
                configuration: plan.configuration,
                digest: plan.configuration.digest,
                credentials: credentials,
                readAt: WallClock.now()
            )
        )
    }

    /// What is in force now.
    var current: State { state.withLock { $0 } }

    /// Reads configuration, credentials and routes again, and puts them in force if all of them are good.
    func reload() -> ReloadOutcome {
        reload(\.reloads, "configuration reloaded") {
            let before = current.digest
            let notes = try replace()
            if current.digest != before { routes.timeline.add(.configuration, "configuration changed", details: notes) }
            // The routes were read too, and are in force.
            state.withLock { $0.routeReloads.refusal = [] }
            return notes
        }
    }

    /// Reads the routes alone again, from where the configuration in force says, and puts them in force if they are good.
    ///
    /// This says nothing of the configuration: if the latest one was refused, it still is.
    func reloadRoutes() -> ReloadOutcome {
        reload(\.routeReloads, "routes reloaded") {
            log(replaceRoutes(with: try readRoutes(current.configuration)))
            return []
        }
    }

    /// Reads the routes for the first time, and puts them in force.
    ///
    /// - Throws: `CommandFailure` when they cannot be read or understood: an agent does not start then.
    func loadFirstRoutes() throws(CommandFailure) {
        let objects = try replacement.withLock { _ throws(CommandFailure) in
            let read = try readRoutes(current.configuration)
            routes.replace(with: read.objects, buildSeconds: read.seconds, isSaved: read.isSaved)
            state.withLock { $0.portMistakes = read.objects.portMistakes }
            return read.objects
        }
        objects.warnOfErrors()
        if cluster == nil, current.configuration.routes.files.isEmpty {
            StandardError.say("warning: \(RouteObjects.unnamed)")
        }
    }

    private func reload(
        _ reloads: WritableKeyPath<State, Reloads>,
        _ success: Logger.Message,
        _ replace: () throws -> [String]
    ) -> ReloadOutcome {
        do {
            let notes = try replacement.withLock { _ in try replace() }
            state.withLock { state in
                state[keyPath: reloads].accepted += 1
                state[keyPath: reloads].refusal = []
            }
            publishRefusals()
            let routeCount = routes.tables.routes.count
            logger.info(success, metadata: ["sha256": "\(current.digest)", "routes": "\(routeCount)"])
            return .reloaded(notes)
        } catch {
            let lines = Self.lines(error)
            state.withLock { state in
                state[keyPath: reloads].rejected += 1
                state[keyPath: reloads].refusal = lines.isEmpty ? ["\(error)"] : lines
            }
            publishRefusals()
            routes.timeline.add(.refused, "reload rejected, what was in force stays", details: lines)
            logger.error(
                "reload rejected, what was in force stays",
                metadata: ["reason": "\(lines.joined(separator: "; "))"]
            )
            return .rejected(lines)
        }
    }

    /// Lets the findings say what was read last and is not in force.
    private func publishRefusals() {
        let state = current
        let refusals = [("configuration", state.reloads.refusal), ("routes", state.routeReloads.refusal)]
        routes.refusals = refusals.filter { !$0.1.isEmpty }.map { .refusedReload(of: $0.0, because: $0.1) }
    }

    private func replace() throws -> [String] {
        let old = current.configuration
        var new = try reread()
        let fixed = new.keepWhatNeedsRestart(of: old, changesCapture: control != nil)
        let credentials = try new.admin.credentials()
        try new.mirror.refuseUnusableAuthorities()
        let objects = try readRoutes(new)
        // Not given back where a later step refuses: a renewed certificate is taken up within a minute anyway.
        if let certificate { _ = try new.admin.renew(certificate) }
        try mirroring.plans.configure(new.mirror)
        do {
            try changeCapture(to: new, from: old)
        } catch {
            try mirroring.plans.configure(old.mirror)
            throw error
        }
        let warnings = replaceRoutes(with: objects)
        logs.replace(new.log)
        let digest = new.digest
        state.withLock { [new] state in
            state.configuration = new
            state.digest = digest
            state.credentials = credentials
            state.readAt = WallClock.now()
        }
        log(mirroring.warnings)
        for key in fixed {
            logger.warning("setting changes at the next restart only", metadata: ["key": "\(key)"])
        }
        return fixed.map { "\($0) changes at the next restart only" } + warnings
    }

    private func log(_ warnings: [String]) {
        for warning in warnings { logger.warning("mirroring", metadata: ["warning": "\(warning)"]) }
    }

    /// Gives the running capture the interfaces and the filter of `new`, if they are others than those of `old`.
    ///
    /// Where the gateway's pods are followed, `ClusterService` does so, which knows their addresses.
    private func changeCapture(to new: Configuration, from old: Configuration) throws(CommandFailure) {
        guard let control, !new.findsGateways, new.capture != old.capture else { return }
        do throws(CaptureError) {
            if let expression = new.capture.filter.expression {
                try CaptureFilter(expression: expression).validate()
            }
            let live = try new.liveConfiguration(among: try NetworkInterface.all())
            try control.change(to: live.interfaces, filter: live.filter)
        } catch {
            throw CommandFailure(error)
        }
    }

    /// What reading, keeping and compiling takes for each octet of the files: 17 for a large YAML file, measured.
    private static let octetsPerFileOctet = 17
    /// Files that are larger are refused.
    private static let largestReading = 1 << 40

    private func readRoutes(
        _ configuration: Configuration
    ) throws(CommandFailure) -> (objects: RouteObjects, seconds: Double, isSaved: Bool) {
        let started = ContinuousClock.now
        let octets = ResourceFileLoader().stamps(of: configuration.routes.files).octets
        shedding.expected = min(octets, Self.largestReading) * Self.octetsPerFileOctet
        defer { shedding.expected = 0 }
        let known = cluster?.current
        let objects = try compile(configuration, known, patterns)
        let seconds = Double((ContinuousClock.now - started).nanoseconds) / 1_000_000_000
        return (objects, seconds, known?.isSaved ?? false)
    }

    /// Puts routes in force, and with them what the mirroring plan means for them.
    ///
    /// - Parameter read: What was read.
    /// - Returns: What there is to know of the policies that was not so with the routes before, in sentences.
    private func replaceRoutes(with read: (objects: RouteObjects, seconds: Double, isSaved: Bool)) -> [String] {
        let (objects, seconds, isSaved) = read
        let errors = objects.findings.filter { $0.severity == .error }
        let known = state.withLock { state in
            defer {
                state.errors = Set(errors)
                state.portMistakes = objects.portMistakes
            }
            return (errors: state.errors, portMistakes: state.portMistakes)
        }
        for finding in errors where !known.errors.contains(finding) {
            logger.warning("route object refused", metadata: ["finding": "\(finding.line)"])
        }
        for sentence in objects.portMistakes where !known.portMistakes.contains(sentence) {
            logger.warning("a port of the gateway leads to no server", metadata: ["reason": "\(sentence)"])
        }
        if let emptiness = objects.emptiness {
            logger.warning("no routes", metadata: ["reason": "\(emptiness)"])
        }
        let warnings = Set(mirroring.warnings)
        routes.replace(with: objects, buildSeconds: seconds, isSaved: isSaved)
        return mirroring.warnings.filter { !warnings.contains($0) }
    }

    private static func lines(_ error: any Error) -> [String] {
        switch error {
        case let problems as ConfigurationProblems: problems.problems.map(\.description)
        case let failure as CommandFailure: failure.lines
        default: ["\(error)"]
        }
    }
}

extension Configuration {
    /// Takes over from `old` what an agent cannot change while it runs, and names what would have changed.
    ///
    /// - Parameters:
    ///   - old: The configuration in force.
    ///   - changesCapture: Whether a running capture can be given other interfaces and another filter.
    /// - Returns: The keys that keep their old values.
    fileprivate mutating func keepWhatNeedsRestart(of old: Configuration, changesCapture: Bool) -> [String] {
        var kept: [String] = []
        let wanted = capture
        if changesCapture, wanted.savefiles.isEmpty, wanted.interfaces != .named([]) {
            // The interfaces and the filter are those that are wanted; all else stays.
            capture.interfaces = old.capture.interfaces
            capture.filter = old.capture.filter
            keep(\.capture, "capture", of: old, &kept)
            capture.interfaces = wanted.interfaces
            capture.filter = wanted.filter
        } else {
            keep(\.capture, "capture", of: old, &kept)
        }
        keep(\.gateway.ports, "gateway.ports", of: old, &kept)
        keep(\.gateway.addresses, "gateway.addresses", of: old, &kept)
        keep(\.metrics, "metrics", of: old, &kept)
        keep(\.admin.listen, "admin.listen", of: old, &kept)
        keep(\.admin.asksKubernetes, "admin.auth.kubernetes", of: old, &kept)
        if admin.certificateFile.isEmpty != old.admin.certificateFile.isEmpty {
            admin.certificateFile = old.admin.certificateFile
            admin.keyFile = old.admin.keyFile
            kept.append("admin.tls")
        }
        keep(\.redaction, "redaction", of: old, &kept)
        keep(\.routes.kubernetes, "routes.kubernetes", of: old, &kept)
        keep(\.limits, "limits", of: old, &kept)
        keep(\.records, "records", of: old, &kept)
        keep(\.mirror.memory, "mirror.memory", of: old, &kept)
        keep(\.mirror.egress, "mirror.egress", of: old, &kept)
        keep(\.mirror.node, "mirror.node", of: old, &kept)
        return kept
    }

    private mutating func keep<Part: Equatable>(
        _ part: WritableKeyPath<Configuration, Part>,
        _ name: String,
        of old: Configuration,
        _ kept: inout [String]
    ) {
        guard self[keyPath: part] != old[keyPath: part] else { return }
        self[keyPath: part] = old[keyPath: part]
        kept.append(name)
    }
}
