// Wingmirror · Apache-2.0

/// A place that shadow traffic may be sent to, and how much of it at most.
public struct MirrorTarget: Sendable, Hashable {
    /// The name by which policies refer to it; the label `target`.
    public var name: String
    /// Whether TLS is spoken.
    public var usesTLS: Bool
    /// The host of the URL, a name or an address without brackets.
    public var host: String
    /// The port of the URL.
    public var port: Int
    /// The hosts that requests may be sent to, the URL's among them; empty for only that one.
    public var hosts: [String]
    /// What the Host field says.
    public var hostField: HostField = .target
    /// The most requests in a second.
    public var ratePerSecond: Double = 50
    /// The most requests without an answer.
    public var inFlight: Int = 64
    /// The most octets of requests waiting.
    public var queueOctets: Int = 64 << 20
    /// Which requests a full queue drops.
    public var dropsFirst: Dropped = .newest
    /// How long connecting may take.
    public var connectTimeout: Duration = .seconds(2)
    /// How long the answer may take, from sending to its last octet.
    public var timeout: Duration = .seconds(10)
    /// Whether HTTP/2 is offered (with TLS by ALPN only).
    public var allowsHTTP2 = false
    /// The certificate authorities in a PEM file; empty for the system's.
    public var certificateAuthorities = ""
    /// When the target is given a rest.
    public var breaker = BreakerSettings()
    /// How the share grows from little.
    public var ramp = RampSettings()

    /// What the Host field of a shadow request says.
    public enum HostField: String, Sendable, Hashable, CaseIterable {
        /// The Host that the client sent.
        case original
        /// The host of the target's URL.
        case target
    }

    /// Which end of a full queue gives way.
    public enum Dropped: String, Sendable, Hashable, CaseIterable {
        case oldest
        case newest
    }

    /// Makes a target with the defaults for everything but its place.
    public init(name: String, usesTLS: Bool = false, host: String, port: Int, hosts: [String] = []) {
        self.name = name
        self.usesTLS = usesTLS
        self.host = host
        self.port = port
        self.hosts = hosts
    }
}

/// When a target that fails or has become slow is given a rest.
public struct BreakerSettings: Sendable, Hashable {
    /// The share of failures, 0 to 1, above which the breaker opens.
    public var errorShare = 0.5
    /// The mean latency above which the breaker opens; `nil` for no bound.
    public var latency: Duration?
    /// How many outcomes are looked at, the latest ones; fewer give no judgement.
    public var window = 20
    /// How long nothing is sent.
    public var rest: Duration = .seconds(30)

    /// Makes the defaults.
    public init() {}
}

/// How the share that is really sent grows to what the policy asks for.
public struct RampSettings: Sendable, Hashable {
    /// The shares of the policy's share, 0 to 1, in growing order; empty sends everything at once.
    public var steps: [Double] = []
    /// How long a step must be healthy before the next.
    public var hold: Duration = .seconds(60)

    /// Makes the defaults.
    public init() {}
}
