// Wingmirror · Apache-2.0
// How exchanges become label values: reference/metrics.md 1.3.

internal import HTTPReconstruction
internal import RouteAttribution
internal import TCPReassembly
internal import TrafficMetrics

extension RequestMethodLabel {
    init(_ method: RequestMethod) {
        self =
            switch method {
            case .get: .get
            case .head: .head
            case .post: .post
            case .put: .put
            case .delete: .delete
            case .connect: .connect
            case .options: .options
            case .trace: .trace
            case .patch: .patch
            case .query: .query
            case .other: .other
            }
    }
}

extension ErrorTypeLabel {
    /// The one reason that is reported: what the capture lost comes first, because it explains the others.
    init(_ integrity: Integrity) {
        self =
            if integrity.isEmpty {
                .none
            } else if !integrity.isDisjoint(with: [.requestGap, .responseGap]) {
                .captureGap
            } else if integrity.contains(.truncatedCapture) {
                .truncated
            } else if !integrity.isDisjoint(with: [.malformed, .unknownFieldBlock]) {
                .parse
            } else if integrity.contains(.resetByClient) {
                .resetByClient
            } else if integrity.contains(.resetByServer) {
                .resetByServer
            } else if !integrity.isDisjoint(with: [.interrupted, .forgotten]) {
                .none
            } else if !integrity.isDisjoint(with: [.closedEarly, .noResponse]) {
                .noResponse
            } else {
                .none
            }
    }
}

extension UnmatchedReason {
    /// Why no series of a route counts the request; `nil` when a route took it.
    init?(_ reason: RouteReason) {
        switch reason {
        case .matched: return nil
        case .noHost: self = .noHost
        case .noMatch: self = .noMatch
        case .httpsRedirect: self = .httpsRedirect
        case .rejected: self = .rejected
        case .noListener: self = .noListener
        case .conditional: self = .conditional
        case .noGateway: self = .noGateway
        case .unknownFields: self = .unknownFields
        }
    }
}

extension ConnectionCloseReason {
    init(_ end: ConnectionEnd) {
        self =
            switch end {
            case .finished, .superseded: .fin
            case .reset: .reset
            case .idle, .captureEnded: .idle
            case .evicted: .evicted
            }
    }
}

extension TrafficMetrics.OpaqueReason {
    init(_ reason: HTTPReconstruction.OpaqueReason) {
        self =
            switch reason {
            case .tls: .tls
            case .http2: .http2
            case .unknown: .unknown
            case .midstream: .midstream
            case .upgraded: .upgraded
            case .tunnel: .tunnel
            }
    }
}
