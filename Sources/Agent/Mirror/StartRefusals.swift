// Wingmirror · Apache-2.0

package import AgentConfiguration
import MirrorDispatch
import PacketCapture
package import RouteAttribution

/// What an agent would refuse to start with, found out without starting one.
///
/// What the configuration says by itself is refused. Files, users and variables that are not on this machine are warned of
/// only, as a configuration is often checked elsewhere; whether this machine may capture or has the interface is not asked.
package struct StartRefusals: Sendable {
    /// Sentences as `run` would end with.
    package private(set) var refusals: [String] = []
    /// Sentences on what is not in force yet, or not on this machine, and would be refused otherwise.
    package private(set) var warnings: [String] = []

    /// Finds out what would be refused; looks the names of targets up.
    ///
    /// - Parameters:
    ///   - configuration: The configuration, which is valid by itself.
    ///   - table: What its route objects come to.
    package init(_ configuration: Configuration, table: RouteTable) async {
        if configuration.capture.savefiles.isEmpty {
            do throws(CommandFailure) {
                try configuration.tls.refuseExposedKeyLog()
            } catch {
                refusals += error.lines
            }
        }
        examineListeners(configuration)
        examineFiles(configuration)
        examineCertificate(configuration.admin)
        examineMachine(configuration)
        let mirroring = Mirroring(configuration)
        mirroring.production.tablesReplaced(RouteTables(table))
        var targets = await mirroring.targetRefusals(of: configuration.mirror)
        for problem in configuration.mirror.authorityProblems {
            if problem.isMissing {
                warnings.append(problem.sentence + Self.here)
            } else {
                targets.append(problem.sentence)
            }
        }
        if configuration.mirror.isActive { refusals += targets } else { warnings += targets }
    }

    private static let here = " (on this machine)"

    private mutating func examineListeners(_ configuration: Configuration) {
        let first = configuration.metrics.listen
        guard let second = configuration.admin.listen, first.port == second.port, first.port != 0 else { return }
        guard Self.overlap(first.host, second.host) else { return }
        refusals.append(
            "admin.listen: \(second) is taken by metrics.listen (\(first)); name another port, or leave admin.listen out to "
                + "serve all in one place"
        )
    }

    /// Whether one address of two hosts is the same: all of IPv4 are none of IPv6, all of IPv6 are all.
    private static func overlap(_ first: String, _ second: String) -> Bool {
        func isIPv6(_ host: String) -> Bool { host.contains(":") }
        let pairs = [(first, second), (second, first)]
        return first == second
            || pairs.contains { one, other in
                switch one {
                case "::": true
                case "0.0.0.0": !isIPv6(other)
                case "localhost": ["127.0.0.1", "::1"].contains(other)
                default: false
                }
            }
    }

    private mutating func examineFiles(_ configuration: Configuration) {
        let savefiles = configuration.capture.savefiles
        for path in savefiles where path != "-" { warnIfMissing(path, "capture.savefiles") }
        // A live capture waits for its key log.
        if !savefiles.isEmpty { warnIfMissing(configuration.tls.keyLog, "tls.keyLog") }
        let records = configuration.records.file
        guard records != "-", let slash = records.lastIndex(of: "/") else { return }
        let folder = slash == records.startIndex ? "/" : String(records[..<slash])
        if FileStatus(at: folder) == nil {
            warnings.append("records.file: \(records): there is no folder \(folder)\(Self.here)")
        }
    }

    private mutating func warnIfMissing(_ path: String, _ key: String) {
        guard !path.isEmpty, FileStatus(at: path) == nil else { return }
        warnings.append("\(key): \(path): \(FileContents.Failure.missing.reason)\(Self.here)")
    }

    private mutating func examineCertificate(_ admin: AdminConfiguration) {
        let missing = [("certificate", admin.certificateFile), ("key", admin.keyFile)].filter {
            !$0.1.isEmpty && FileStatus(at: $0.1) == nil
        }
        for (key, path) in missing { warnIfMissing(path, "admin.tls.\(key)") }
        guard missing.isEmpty else { return }
        do throws(ConfigurationProblems) {
            _ = try admin.servedCertificate()
        } catch {
            refusals += error.problems.map(\.description)
        }
    }

    private mutating func examineMachine(_ configuration: Configuration) {
        let user = configuration.capture.user
        if !user.isEmpty, configuration.capture.savefiles.isEmpty, !PrivilegeDrop.isKnown(user) {
            warnings.append("capture.user: there is no user \(user)\(Self.here)")
        }
        let kubernetes = configuration.routes.kubernetes
        let isNodeKnown = !kubernetes.node.isEmpty || Terminal.environment("NODE_NAME")?.isEmpty == false
        if kubernetes.isEnabled, kubernetes.findsGateways, !isNodeKnown {
            warnings.append(
                "routes.kubernetes: which node this is, is not known here; where the agent runs, set the variable NODE_NAME to "
                    + "spec.nodeName, or routes.kubernetes.node"
            )
        }
    }
}
