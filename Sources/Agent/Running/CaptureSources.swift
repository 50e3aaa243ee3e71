// Wingmirror · Apache-2.0

package import AgentConfiguration
package import PacketCapture
import PacketDecoding
package import TrafficPipeline

/// Where an agent's packets come from, and what is known of that source.
package enum CaptureSources: Sendable {
    /// Interfaces, with what is counted of them.
    case live(LiveConfiguration, CaptureCounters)
    /// Savefiles, read once, or again and again until a stop.
    case savefiles([String], pace: CaptureConfiguration.Pace, filter: String?, loops: Bool = false)

    /// Chooses the sources that a configuration names.
    ///
    /// - Parameters:
    ///   - configuration: Names them.
    ///   - awaitsGateway: Whether the gateway's pods are still to be found, so that nothing is captured yet.
    ///   - refusesUnknown: Whether an interface that is not there is a mistake, rather than one to wait for.
    /// - Throws: `CommandFailure` when they make no sense on this machine.
    package init(
        _ configuration: Configuration,
        awaitsGateway: Bool = false,
        refusesUnknown: Bool = false
    ) throws(CommandFailure) {
        let capture = configuration.capture
        guard capture.savefiles.isEmpty else {
            try CommandFailure.refuseTerminal(among: capture.savefiles)
            self = .savefiles(
                capture.savefiles,
                pace: capture.pace,
                filter: capture.filter.expression,
                loops: capture.loop
            )
            return
        }
        guard Capabilities.current.mayCapture else {
            throw CommandFailure(
                .permission,
                "capturing needs CAP_NET_RAW; grant it with: \(Capabilities.grantCommand)"
            )
        }
        let names: (wanted: [String], known: [String])
        do throws(CaptureError) {
            // The user's part alone, or the message would quote the rest of the filter too.
            if let expression = capture.filter.expression {
                try CaptureFilter(expression: expression).validate()
            }
            let known = try NetworkInterface.all()
            let live = try configuration.liveConfiguration(among: known, awaitsGateway: awaitsGateway)
            names = (live.interfaces, known.map(\.name))
            self = .live(live, CaptureCounters(interfaces: live.interfaces))
        } catch {
            throw CommandFailure(error)
        }
        // An agent on a node waits for its interface; somebody at a terminal has mistyped its name.
        try Self.refuseList(names.wanted, among: names.known)
        if refusesUnknown || Terminal.isTerminal(2) { try Self.refuseUnknown(names.wanted, among: names.known) }
    }

    /// Refuses the name of an interface that is not there, and suggests the nearest one that is.
    static func refuseUnknown(_ names: [String], among known: [String]) throws(CommandFailure) {
        guard let missing = names.first(where: { $0 != "any" && !known.contains($0) }) else { return }
        let hint = known.nearest(to: missing).map { "; the nearest name is \($0)" } ?? ""
        let list = known.joined(separator: ", ")
        throw CommandFailure(
            .usage,
            "--interface: there is no interface \(missing)\(hint). There are: \(list)"
        )
    }

    /// Refuses several names in one, which no interface has and none will have.
    static func refuseList(_ names: [String], among known: [String]) throws(CommandFailure) {
        guard let list = names.first(where: { $0.contains(",") && !known.contains($0) }) else { return }
        let parts = list.split { $0 == "," || $0 == " " }
        throw CommandFailure(
            .usage,
            "--interface: there is no interface \(list); repeat the option, one name each: "
                + parts.map { "--interface \($0)" }.joined(separator: " ")
        )
    }

    /// Why nothing comes from an interface, in a sentence; `nil` where it is captured on.
    static func problem(of interface: InterfaceCounters) -> String? {
        guard !interface.isUp, interface.name != "any" else { return nil }
        let known = (try? NetworkInterface.all()) ?? []
        return problem(of: interface.name, among: known)
    }

    /// Why an interface is not captured on, as far as the list of interfaces shows it.
    static func problem(of name: String, among known: [NetworkInterface]) -> String? {
        guard !known.isEmpty else { return nil }
        if let interface = known.first(where: { $0.name == name }) {
            return interface.isUp ? nil : "the interface \(name) is down"
        }
        // Those that have traffic of their own: no pseudo-devices such as nflog.
        let others = known.filter { $0.isUp && $0.name != "any" && ($0.isLoopback || !$0.addresses.isEmpty) }
        let list = others.map(\.name).joined(separator: ", ")
        return "there is no interface \(name)" + (list.isEmpty ? "" : " (there are \(list))")
    }

    /// The names of the interfaces or savefiles, in the order of their numbers; interfaces that came while the agent ran
    /// are behind those of its start, and those that went stay.
    package var names: [String] {
        switch self {
        case .live(_, let counters): counters.interfaces.map(\.name)
        case .savefiles(let paths, _, _, _): paths
        }
    }

    /// How many packets came so far, and how many the kernel dropped before.
    package func packets(_ figures: PipelineFigures) -> (captured: UInt64, dropped: UInt64) {
        switch self {
        case .live(_, let counters):
            counters.interfaces.reduce((0, 0)) {
                ($0.0 + $1.packetsReceived, $0.1 + $1.packetsDroppedByKernelBuffer)
            }
        case .savefiles: (UInt64(figures.interfaces.reduce(0) { $0 + $1.packets }), 0)
        }
    }

    /// How many threads take the packets; those of files come in the order of their times, to one thread.
    package var workers: Int {
        switch self {
        case .live(let configuration, _): configuration.workers
        case .savefiles: 1
        }
    }

    /// Whether packets come faster than they did when they were captured, so that their times are the only clock.
    package var isReadFast: Bool {
        if case .savefiles(_, .fast, _, _) = self { true } else { false }
    }

    /// Whether packets come as they are captured.
    package var isLive: Bool {
        if case .live = self { true } else { false }
    }
}
