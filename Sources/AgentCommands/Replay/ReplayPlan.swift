// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import MirrorDispatch
import ShadowTesting
import TrafficModel

/// What `replay` is to do, when the options have been found to make sense.
struct ReplayPlan: Sendable {
    /// What is printed.
    enum Output: String, Sendable, CaseIterable {
        /// A summary for people.
        case table
        /// A line of JSON for each request and one for the summary.
        case ndjson
    }

    /// The most rounds.
    private static let loopLimit = 1_000_000
    /// The most content of a request; recordings bound it before.
    private static let contentLimit = 64 << 20
    /// The most octets of a file of certificate authorities.
    private static let authorityLimit = 1 << 20

    /// The recordings, in the order named.
    var recordings: [String]
    /// Where the requests go.
    var target: MirrorTarget
    /// What may be sent, and how answers are compared.
    var policy: MirrorPolicy
    /// How fast.
    var pace = ReplaySchedule.Pace.speed(1)
    /// How many rounds there are.
    var loops = 1
    /// Whether requests of one connection wait for each other.
    var isOrdered = false
    /// What is printed.
    var output = Output.table
    /// Which packets of savefiles are taken.
    var filter: String?
    /// Where the keys of TLS in savefiles are; empty for nowhere but in pcapng files themselves.
    var keyLog = ""

    /// Checks the options.
    init(_ command: ReplayCommand) throws(ConfigurationProblems) {
        var problems: [ConfigurationProblem] = []
        recordings = command.recordings
        filter = command.filter
        keyLog = command.keyLog ?? ""
        isOrdered = command.ordered
        target = Self.target(command, &problems)
        policy = Self.policy(command, &problems)
        if recordings.isEmpty {
            problems.append(.option("RECORDING", "name the recording to replay, or - for standard input"))
        }
        if recordings.count(where: { $0 == "-" }) > 1 {
            problems.append(.option("RECORDING", "standard input can be read only once"))
        }
        if let pace = Self.pace(command, &problems) { self.pace = pace }
        if (1...Self.loopLimit).contains(command.loop) {
            loops = command.loop
        } else {
            problems.append(.option("--loop", "expected a number from 1 to \(Self.loopLimit), found \(command.loop)"))
        }
        if let output: Output = OutputName.read(command.output, &problems) { self.output = output }
        guard problems.isEmpty else { throw ConfigurationProblems(problems) }
    }

    private static func pace(_ command: ReplayCommand, _ problems: inout [ConfigurationProblem]) -> ReplaySchedule.Pace?
    {
        switch (command.speed, command.rate) {
        case (nil, nil): return nil
        case (.some, .some):
            problems.append(.option("--rate", "--speed and --rate cannot both be given"))
        case (let speed?, nil):
            if let pace = ReplaySchedule.Pace.speed(speed) { return pace }
            problems.append(.option("--speed", "expected a speed such as 2x, 0.5x or 200%, found \"\(speed)\""))
        case (nil, let rate?):
            if let rate = Rate(rate) { return .rate(rate.perSecond) }
            problems.append(.option("--rate", "expected a rate such as 100/s, found \"\(rate)\""))
        }
        return nil
    }

    private static func target(_ command: ReplayCommand, _ problems: inout [ConfigurationProblem]) -> MirrorTarget {
        var target = MirrorTarget(name: "replay", host: "", port: 0, hosts: command.allowHost)
        if let url = command.target.flatMap(ServerURL.init) {
            target.usesTLS = url.usesTLS
            target.host = url.host
            target.port = url.port
        } else if let text = command.target {
            let expected = "a URL such as http://staging.example.internal:8080, with neither user nor path"
            problems.append(.option("--target", "expected \(expected), found \"\(text)\""))
        } else {
            problems.append(.option("--target", "name the server to send to, such as --target http://127.0.0.1:9000"))
        }
        if let caFile = command.caFile {
            target.certificateAuthorities = caFile
            if let refusal = authorityRefusal(caFile, target) { problems.append(.option("--ca-file", refusal)) }
        }
        if let host = MirrorTarget.HostField(rawValue: command.host) {
            target.hostField = host
        } else {
            problems.append(.option("--host", "expected one of original, target, found \"\(command.host)\""))
        }
        if let timeout = Duration(text: command.timeout), (.milliseconds(10)...(.seconds(600))).contains(timeout) {
            target.timeout = timeout
            target.connectTimeout = min(target.connectTimeout, timeout)
        } else {
            problems.append(
                .option("--timeout", "expected a duration from 10ms to 10m, found \"\(command.timeout)\"")
            )
        }
        if (1...10_000).contains(command.inFlight) {
            target.inFlight = command.inFlight
        } else {
            problems.append(.option("--in-flight", "expected a number from 1 to 10000, found \(command.inFlight)"))
        }
        return target
    }

    /// Why a file of certificate authorities is of no use; `nil` where it is.
    private static func authorityRefusal(_ path: String, _ target: MirrorTarget) -> String? {
        guard target.usesTLS || target.host.isEmpty else { return "goes with a target whose URL begins with https" }
        do throws(FileContents.Failure) {
            let content = try FileContents.read(path, limit: authorityLimit)
            return TargetAuthorities.refusal(of: content).map { "\(path): \($0)" }
        } catch {
            return "\(path): \(error.explained)"
        }
    }

    private static func policy(_ command: ReplayCommand, _ problems: inout [ConfigurationProblem]) -> MirrorPolicy {
        var policy = MirrorPolicy(name: "replay", targets: ["replay"])
        policy.maximumContentOctets = contentLimit
        policy.keptFields = command.keepField.map { $0.lowercased() }
        policy.methods = command.methods.flatMap { $0.split(separator: ",").map(String.init) }
        for method in policy.methods where method != method.uppercased() {
            problems.append(.option("--methods", "methods are upper-case; did you mean \(method.uppercased())?"))
        }
        if (0...100).contains(command.percent) {
            policy.percent = command.percent
        } else {
            problems.append(.option("--percent", "expected a share from 0 to 100, found \(command.percent)"))
        }
        do throws(MirrorPlanError) {
            _ = try MirrorPlan(policies: [policy], targets: ["replay"])
        } catch {
            problems.append(.option(error.message.contains("field") ? "--keep-field" : "--methods", error.message))
        }
        return policy
    }
}
