// Wingmirror · Apache-2.0

import RouteAttribution
import Testing
import TrafficMetrics
import TrafficPipeline

/// One word for one thing, wherever it is written.
@Suite struct LabelWordTests {
    @Test(arguments: RouteReason.allCases)
    func `why no route took a request is the same word in records and in metrics`(reason: RouteReason) {
        #expect(UnmatchedReason(reason)?.text ?? RouteReason.matched.label == reason.label)
    }
}
