// Wingmirror · Apache-2.0

import TrafficMetrics
import TrafficPipeline

/// Supplies how much is kept of the packets of the last moments.
struct KeptPacketsCollector: MetricCollector {
    /// The packets; `nil` where none are kept, which every panel shows as 0.
    let kept: KeptPackets?

    func collect(into samples: inout SampleCollection) {
        let extent = kept?.extent ?? KeptPackets.Extent()
        samples.set(MetricCatalogue.keptPacketBytes, [], Double(extent.octets))
        samples.count(MetricCatalogue.keptPacketsMissed, [], UInt64(extent.missed))
    }
}
