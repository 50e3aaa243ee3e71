// Wingmirror · Apache-2.0

import TrafficMetrics

/// What `top` shows of one moment, wherever it comes from.
struct TopFrame: Sendable, Equatable {
    /// A route and what it does.
    struct Row: Sendable, Equatable {
        /// Names the route from frame to frame.
        var id: String
        /// The object, as `namespace/name`.
        var object: String
        /// The route's name, or its number such as `#2`.
        var route: String
        /// What the rule matches, in short.
        var match: String
        /// The Gateway.
        var gateway = ""
        /// The hosts, in short.
        var hosts = ""
        /// Where requests go.
        var target = ""
        /// Whether the route is in the table now.
        var isInTable = true
        /// Requests since counting began.
        var requests: UInt64 = 0
        /// Requests in the window.
        var windowRequests: UInt64 = 0
        /// Those of them that failed.
        var windowFailures: UInt64 = 0
        /// Those that were answered with 4xx.
        var windowClientErrors: UInt64 = 0
        /// Those whose answers were not seen, which are in no share.
        var windowUnseen: UInt64 = 0
        /// Requests per second in the window.
        var requestsPerSecond: Double?
        /// Quantiles of the durations in the window.
        var latency = LatencyQuantiles()
        /// Requests per second, step by step; `nil` where nobody looked.
        var trend: [Double?] = []
        /// When the latest request began, as text.
        var lastRequest: String?

        /// Requests in the window of which it is known how they came out.
        var windowKnown: UInt64 { windowRequests - min(windowUnseen, windowRequests) }

        /// Whether nearly all answers were not seen: the few that are known are no sample of them, and shares and times no figures.
        var isHardlySeen: Bool { windowRequests > 0 && Double(windowKnown) <= 0.1 * Double(windowRequests) }

        /// The requests that shares are of; none where there is no share.
        var shareBase: UInt64 { isHardlySeen ? 0 : windowKnown }

        /// The share of those that failed; `nil` without any.
        var errorShare: Double? {
            shareBase > 0 ? Double(windowFailures) / Double(shareBase) : nil
        }

        /// The share of those that were answered with 4xx; `nil` without any.
        var clientErrorShare: Double? {
            shareBase > 0 ? Double(windowClientErrors) / Double(shareBase) : nil
        }

        /// Quantiles of the durations in the window, where they are those of its requests.
        var shownLatency: LatencyQuantiles { isHardlySeen ? LatencyQuantiles() : latency }
    }

    /// How much of the traffic is in the rows: what was lost and what cannot be read.
    struct Truth: Sendable, Equatable {
        /// Packets per second in the window.
        var packetsPerSecond: Double?
        /// Packets since counting began.
        var packets: UInt64 = 0
        /// Packets that the kernel or the interface dropped.
        var lostPackets: UInt64 = 0
        /// Packets that the snapshot length cut short.
        var truncatedPackets: UInt64 = 0
        /// Holes in streams.
        var gaps: UInt64 = 0
        /// Octets in them.
        var gapOctets: UInt64 = 0
        /// Connections seen.
        var connections: UInt64 = 0
        /// Connections that cannot be read.
        var opaqueConnections: UInt64 = 0
        /// Answers whose requests were not seen.
        var answersAlone: UInt64 = 0
        /// Requests that arrived in the window, with a route and without.
        var windowRequests: UInt64 = 0
        /// Those of them whose answers were not seen.
        var windowUnseen: UInt64 = 0
    }

    /// Where the figures come from: interfaces, savefiles or the URL of an agent.
    var source: String
    /// The time of the figures, as text.
    var time: String?
    /// How much of the window is covered, in seconds.
    var windowSeconds = 0.0
    /// The routes, in the order of the table.
    var rows: [Row] = []
    /// Requests per second without a route in the window, by reason.
    var unmatchedPerSecond: [Reason] = []
    /// Of which kind most of the requests without a route are, and since when, in words; `nil` where the source does not say.
    var unmatchedMost: String?
    /// What keeps requests from the routes, such as a port that is not the gateway's, in a sentence; `nil` where nothing is
    /// known to.
    var notice: String?
    /// Requests of the window that were answered with 2xx although the table has no route for them.
    var unmatchedServed: UInt64 = 0
    /// How much of the truth this is; `nil` when the source does not say.
    var truth: Truth?
    /// What keeps the figures from being fresh; they are then those of an earlier time.
    var problem: String?
    /// Whether nothing will change any more, because savefiles have been read.
    var hasEnded = false

    /// A reason and how many requests there are of it per second.
    struct Reason: Sendable, Equatable {
        /// Why no route accounts for the requests.
        var reason: UnmatchedReason
        /// Requests per second.
        var perSecond: Double

        /// The word of the metric label.
        var word: String { reason.text }
    }

    /// Requests per second that arrived at the gateway, with a route and without.
    var requestsPerSecond: Double {
        rows.reduce(0) { $0 + ($1.requestsPerSecond ?? 0) }
            + unmatchedPerSecond.reduce(0) { $0 + ($1.reason.isArrival ? $1.perSecond : 0) }
    }
}
