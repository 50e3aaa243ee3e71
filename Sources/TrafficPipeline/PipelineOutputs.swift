// Wingmirror · Apache-2.0

public import PacketDecoding
internal import ShadowTesting
public import TrafficModel

/// What takes what leaves a pipeline, beside the figures; everything is off unless it is given.
///
/// All of it is called from the capture thread, and must not wait unless the source of packets can wait for it.
public struct PipelineOutputs: Sendable {
    /// What exchange records say.
    public var records = RecordOptions()
    /// What takes exchange records.
    public var recordOutput: RecordOutput?
    /// What takes exchanges with their octets.
    public var exchanges: ExchangeOutput?
    /// What takes the exchanges that the routing's mirroring plan samples.
    public var mirror: MirrorDestination?
    /// What counts requests that are shadow traffic already.
    public var shadowArrivals: ShadowArrivals?
    /// What keeps some exchanges to be looked at.
    public var recent: RecentBoard?
    /// Says what to leave out while memory is short.
    public var shedding: LoadShedding?
    /// Whether requests are asked for the trace that they belong to, so that durations can lead there.
    public var readsTraces = true

    /// Whether an address is known to be reached by way of another machine, which is asked where no address of the gateway is
    /// known; without it none is.
    ///
    /// Requests to servers there pass by this node, and the agent on theirs counts them. It is called on the capture thread, for
    /// which it must not wait: `nil` says that the answer cannot be had just now, and the next request asks again.
    public var isElsewhere: (@Sendable (IPAddress) -> Bool?)?

    /// Makes outputs that are all off.
    public init() {}
}

/// Takes exchanges with their octets, in the order in which they are told; those without a request are left out, and counted.
public struct ExchangeOutput: Sendable {
    /// Why an exchange is left out.
    public enum Omission: Sendable, Hashable {
        /// The head of the request was not kept, for want of memory.
        case notKept
        /// The request has no target that is known, because packets were missed that it refers to (HTTP/2).
        case unknownHead
        /// The request was not seen.
        case noRequest
    }

    /// How many octets of each message's content are kept.
    public let contentOctets: Int
    /// Takes one.
    public let take: @Sendable (RecordedExchange) -> Void
    /// Counts one that is left out.
    public let leaveOut: @Sendable (Omission) -> Void

    /// Makes an output.
    public init(
        contentOctets: Int,
        take: @escaping @Sendable (RecordedExchange) -> Void,
        leaveOut: @escaping @Sendable (Omission) -> Void = { _ in }
    ) {
        self.contentOctets = contentOctets
        self.take = take
        self.leaveOut = leaveOut
    }
}
