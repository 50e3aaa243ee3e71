// Wingmirror · Apache-2.0

import RouteAttribution
import TrafficMetrics
import TrafficPipeline

/// Supplies what was learnt of the gateway's addresses, where none was named.
struct GatewayCollector: MetricCollector {
    /// Where the workers leave their figures.
    let boards: WorkerBoards

    func collect(into samples: inout SampleCollection) {
        let addressing = GatewayAddressing(boards.figures)
        samples.set(MetricCatalogue.gatewayAddresses, [], Double(addressing.addressCount))
        samples.count(MetricCatalogue.gatewayOwnRequests, [], UInt64(addressing.sentOn))
        // Each is found once at most, and by nothing else.
        for finding in addressing.findings {
            samples.set(MetricCatalogue.routeTableFindings, [finding.severity.rawValue, finding.code.rawValue], 1)
        }
    }
}
