// Wingmirror · Apache-2.0

import AgentConfiguration
import PacketCapture
import PacketDecoding

/// Looks at whether this machine lets the configured interfaces be captured.
struct CaptureExamination {
    /// From this share of received packets on, what an interface itself dropped is worth a warning.
    private static let alarmingDropShare = 0.001

    /// The configuration in question.
    var configuration: Configuration
    /// The interfaces of this machine.
    var interfaces: [NetworkInterface]
    /// What this process may do.
    var capabilities: Capabilities

    /// What was found: permission and filter first, then each interface.
    func findings() -> [Finding] {
        [permission, filter] + wanted.flatMap(findings(of:))
    }

    /// What packets the kernel is asked for.
    private var filter: Finding {
        let live = configuration.liveFilter
        let own = live.ownEndpoints.map { String($0.port) }.joined(separator: ", ")
        let detail =
            switch (live.expression, configuration.findsGateways) {
            case (let expression?, _): "\(expression) (capture.filter or --filter)"
            case (nil, true): "auto: the ports and addresses of the gateway's pods on this node, which run finds"
            case (nil, false): "auto: \(Self.ends(live))"
            }
        let without = own.isEmpty ? "" : "; without the agent's own port \(own)"
        return Finding(verdict: .ok, subject: "filter", detail: detail.withVisibleControls + without)
    }

    /// The ends of connections that a derived filter asks for.
    private static func ends(_ filter: CaptureFilter) -> String {
        let ports = filter.ports.map(String.init).joined(separator: ", ")
        let addresses = filter.addresses.map(\.description).joined(separator: ", ")
        return "TCP port \(ports.isEmpty ? "any" : ports) of \(addresses.isEmpty ? "any address" : addresses)"
    }

    /// Whether packets may be captured at all.
    private var permission: Finding {
        let subject = "permission"
        guard !capabilities.mayCapture else {
            return Finding(
                verdict: .ok,
                subject: subject,
                detail: "CAP_NET_RAW is effective, so packets may be captured"
            )
        }
        return Finding(
            verdict: .fail,
            subject: subject,
            detail: "CAP_NET_RAW is missing, without which no packet can be captured",
            remedy: Capabilities.grantCommand
        )
    }

    /// The names of the interfaces that would be captured; with none configured, all that are up.
    private var wanted: [String] {
        switch configuration.capture.interfaces {
        case .named(let names) where !names.isEmpty: names
        case .named: interfaces.filter { $0.isUp && !$0.addresses.isEmpty }.map(\.name)
        case .automatic: NetworkInterface.automatic(interfaces, for: configuration.gateway.addresses)
        }
    }

    private func findings(of name: String) -> [Finding] {
        let subject = "interface \(name)"
        guard let interface = interfaces.first(where: { $0.name == name }) else {
            let known = interfaces.map(\.name).nearest(to: name).map { "; the nearest name is \($0)" } ?? ""
            let detail = "there is no such interface now; run waits for it"
            return [Finding(verdict: .warn, subject: subject, detail: detail, remedy: "see `ip link`\(known)")]
        }
        guard interface.isUp else {
            let remedy = "ip link set \(name) up"
            return [Finding(verdict: .warn, subject: subject, detail: "is down; run waits for it", remedy: remedy)]
        }
        let addresses = interface.addresses.map(\.description).joined(separator: ", ")
        let detail = addresses.isEmpty ? "up, without an address" : "up, \(addresses)"
        return [Finding(verdict: .ok, subject: subject, detail: detail)] + trial(of: name) + drops(of: name)
    }

    /// Opens the interface for a moment, as `run` would, and looks at the ring.
    private func trial(of name: String) -> [Finding] {
        guard capabilities.mayCapture else { return [] }
        let subject = "ring of \(name)"
        do throws(CaptureError) {
            var configuration = configuration
            configuration.capture.interfaces = .named([name])
            let live = try configuration.liveConfiguration(among: interfaces)
            let counters = CaptureCounters(interfaces: live.interfaces)
            var capture = try LiveCapture(live, counters: counters) { _ in }
            let obtained = counters.interfaces[0].ringOctets
            let stop = StopFlag()
            stop.request()
            var sink = DiscardingSink()
            capture.run(into: &sink, until: stop)
            return [finding(of: subject, obtained: obtained, wanted: live.ringOctets)]
        } catch {
            let remedy = error.code == .invalidFilter ? "correct capture.filter" : nil
            return [Finding(verdict: .fail, subject: subject, detail: error.description, remedy: remedy)]
        }
    }

    func finding(of subject: String, obtained: Int, wanted: Int) -> Finding {
        let sizes = "\(HumanUnits.binary(UInt64(obtained))) of \(HumanUnits.binary(UInt64(wanted))) asked for"
        // The kernel rounds to whole blocks, so that a little less is all of it.
        guard obtained < wanted - wanted / 8 else { return Finding(verdict: .ok, subject: subject, detail: sizes) }
        return Finding(
            verdict: .warn,
            subject: subject,
            detail: sizes,
            remedy: "the kernel has no more contiguous memory: lower capture.ringBytes, or raise the memory limit"
        )
    }

    /// What the interface says it lost since it came up, which libpcap counts from when it opens it.
    private func drops(of name: String) -> [Finding] {
        guard let received = statistic("rx_packets", of: name), let dropped = statistic("rx_dropped", of: name),
            let missed = statistic("rx_missed_errors", of: name)
        else { return [] }
        let lost = dropped + missed
        let detail =
            "\(HumanUnits.count(lost)) of \(HumanUnits.count(received + missed)) packets lost by the interface since it came up"
        let isAlarming = Double(lost) > Double(received + missed) * Self.alarmingDropShare
        return [
            Finding(
                verdict: isAlarming ? .warn : .ok,
                subject: "drops of \(name)",
                detail: detail,
                remedy: isAlarming
                    ? "look at `ip -s -s link show \(name)` and the driver's ring (`ethtool -g \(name)`)" : nil
            )
        ]
    }

    private func statistic(_ statistic: String, of name: String) -> UInt64? {
        guard !name.contains("/"),
            let octets = try? FileContents.read("/sys/class/net/\(name)/statistics/\(statistic)", limit: 64)
        else { return nil }
        return UInt64(String(decoding: octets, as: UTF8.self).filter { !$0.isWhitespace })
    }
}

/// Takes packets and does nothing with them.
private struct DiscardingSink: CaptureSink {
    mutating func packetArrived(_ packet: CapturedPacket, octets: Span<UInt8>) {}

    mutating func batchEnded() {}

    mutating func timePassed(now: PacketTime) {}
}
