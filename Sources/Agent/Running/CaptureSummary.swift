// Wingmirror · Apache-2.0

package import RouteAttribution
package import TrafficMetrics
package import TrafficPipeline

/// What a capture came to.
package struct CaptureSummary: Sendable {
    /// The routes that requests were attributed to.
    package let routes: [CompiledRoute]
    /// What was counted of the traffic.
    package let registry: MetricsRegistry
    /// What else the pipeline saw.
    package let figures: PipelineFigures
}
