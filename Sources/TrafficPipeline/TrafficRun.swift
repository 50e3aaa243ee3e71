// Wingmirror · Apache-2.0

internal import TCPReassembly
public import TLSDecryption
public import TrafficMetrics

/// What belongs together in one run over traffic, whoever runs it: the routes, what is counted of them, the boards that
/// others read, and what the stages may hold.
///
/// The pipeline of each worker is made from it, on the worker's own thread.
public struct TrafficRun: Sendable {
    /// The routes that requests are attributed to.
    public let routes: RouteBoard
    /// What the workers have seen.
    public let boards: WorkerBoards
    /// What the stages of all workers together may hold; each has its share.
    public let limits: PipelineLimits
    /// Where the secrets of TLS connections come from, for all workers; `nil` decrypts nothing.
    public let keys: KeyStore?

    /// Makes a run that has seen nothing.
    ///
    /// - Parameters:
    ///   - routes: The routes, and with them the registry that the traffic is counted in.
    ///   - limits: What the stages of all workers together may hold.
    ///   - keys: Where the secrets of TLS connections come from.
    public init(routes: RouteBoard, limits: PipelineLimits = PipelineLimits(), keys: KeyStore? = nil) {
        self.routes = routes
        self.limits = limits
        self.keys = keys
        boards = WorkerBoards(routes.registry)
    }

    /// What is counted of the traffic.
    public var registry: MetricsRegistry { routes.registry }

    /// Makes the pipeline of a worker; each worker needs one of its own.
    ///
    /// - Parameters:
    ///   - worker: The number of the worker, from 0.
    ///   - outputs: What else leaves the pipeline.
    /// - Returns: A pipeline that has seen nothing.
    public func makePipeline(ofWorker worker: Int = 0, outputs: PipelineOutputs = PipelineOutputs()) -> TrafficPipeline
    {
        TrafficPipeline(
            limits: limits.share(among: boards.workers.count),
            routes: routes,
            board: boards.workers[worker],
            keys: keys,
            numbering: ConnectionNumbering(table: worker, of: boards.workers.count),
            outputs: outputs
        )
    }
}
