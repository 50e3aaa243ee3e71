// Wingmirror · Apache-2.0

import AgentConfiguration
import HTTPReconstruction
import JSONSyntax
import OctetText
import PacketDecoding
import TCPReassembly
import TrafficMetrics
import TrafficModel
import TrafficPipeline

/// How much of the truth the agent sees: what was lost on the way to it, and what it cannot read.
struct Visibility {
    /// What the pipeline has seen.
    let figures: PipelineFigures
    /// What was counted of the capture since the agent began.
    let capture: CaptureReading
    /// What everything did in the latest window.
    let totals: TrafficTotals
    /// All requests per second, step by step.
    let trend: [Double?]
    /// The connections that could not be read.
    let opaque: [OpaqueSummary]
    /// How many workers share each interface.
    let workers: Int

    /// Takes what the agent's parts know; `window` is what is called now.
    init(figures: PipelineFigures, watch: TrafficWatch, registry: MetricsRegistry, window: Duration, workers: Int) {
        let history = watch.history
        self.figures = figures
        capture = watch.capture
        totals = history.totals(over: window)
        trend = history.trend(RouteListDocument.trend)
        opaque = registry.opaqueSummaries()
        self.workers = workers
    }

    /// Packets of tunnels, of whose connections the workers may have got one direction each.
    private var splitPackets: Int { workers > 1 ? figures.tunnelledPackets : 0 }

    /// The share of requests whose answers were not seen, of those with a route and those without; `nil` without requests.
    private var answersNotSeenShare: Double? {
        totals.requests > 0 ? min(Double(totals.unseen) / Double(totals.requests), 1) : nil
    }

    /// Writes the members of an object.
    func write(to json: inout JSONText) {
        // What of the window was covered: of an agent that has just begun, less than all.
        json.member("windowSeconds", number: totals.routes.seconds)
        json.member("packetsPerSecond", number: totals.packetsPerSecond)
        json.member("requestsPerSecond", number: totals.requestsPerSecond)
        json.member("answersNotSeen", integer: totals.unseen)
        json.member("answersNotSeenShare", number: answersNotSeenShare)
        json.member("trend", trend: trend)
        json.member("now") { write(totals.capture, to: &$0) }
        json.member("sinceStart") { write(capture, to: &$0) }
        json.member("latestPacketTime", time: figures.latestPacket?.nanoseconds)
        let reassembly = figures.reassembly
        json.member("deliveredOctets", integer: reassembly.deliveredOctets)
        json.member("midstreamConnections", integer: reassembly.midstreamPickups)
        json.member("evictedConnections", integer: reassembly.evictions.total)
        json.member("undecodedPackets", integer: figures.failures.values.reduce(0, +))
        json.member("unreadableStreams", integer: figures.parseFailures.reduce(0, +))
        json.member("splitPackets", integer: splitPackets)
        json.member("skippedOctets", integer: figures.http.skippedOctets)
        json.member("pendingExchanges", integer: figures.pendingExchanges)
        json.member("opaque", list: opaque) { json, summary in
            json.object { json in
                json.member("reason", string: summary.reason.text)
                json.member("connections", integer: summary.connectionCount)
                json.member("octets", integer: summary.octetCount)
            }
        }
    }

    private func write(_ reading: CaptureReading, to json: inout JSONText) {
        json.member("packets", integer: reading.packets)
        json.member("octets", integer: reading.octets)
        json.member("lostPackets", integer: reading.lostPackets)
        json.member("lostShare", number: reading.lostShare)
        json.member("truncatedPackets", integer: reading.truncatedPackets)
        json.member("gaps", integer: reading.gaps)
        json.member("gapOctets", integer: reading.gapOctets)
        json.member("connections", integer: reading.connections)
        json.member("opaqueConnections", integer: reading.opaqueConnections)
        json.member("opaqueShare", number: reading.opaqueShare)
        json.member("answersAlone", integer: reading.answersAlone)
    }
}
