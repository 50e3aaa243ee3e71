// Wingmirror · Apache-2.0

import HTTPTypes

/// The endpoints, and who may use each.
enum AdminEndpoint: String, CaseIterable {
    case page = "/"
    case metrics = "/metrics"
    case istioMetrics = "/metrics/istio"
    case health = "/healthz"
    case readiness = "/readyz"
    case status = "/api/v1/status"
    case routes = "/api/v1/routes"
    case exchanges = "/api/v1/exchanges"
    case explain = "/api/v1/explain"
    case unmatched = "/api/v1/unmatched"
    case findings = "/api/v1/findings"
    case mirror = "/api/v1/mirror"
    case timeline = "/api/v1/timeline"
    case packets = "/api/v1/packets"
    case configuration = "/api/v1/config"
    case events = "/api/v1/events"
    case reload = "/-/reload"
    case mirrorPause = "/-/mirror/pause"
    case mirrorResume = "/-/mirror/resume"
    case mirrorJudgeAgain = "/-/mirror/judge-again"

    /// How far an endpoint is open.
    enum Exposure {
        /// Answered to everyone, always: what a kubelet asks.
        case open
        /// Answered to everyone unless credentials are configured.
        case openWithoutCredentials
        /// Answered to those with credentials; without configured credentials, to peers on loopback.
        case guarded
    }

    /// How far it is open.
    var exposure: Exposure {
        switch self {
        case .health, .readiness: .open
        case .metrics, .istioMetrics: .openWithoutCredentials
        case .page, .status, .routes, .exchanges, .explain, .unmatched, .findings, .mirror, .timeline, .packets,
            .configuration, .events, .reload, .mirrorPause, .mirrorResume, .mirrorJudgeAgain:
            .guarded
        }
    }

    /// Whether it is among those that a listener for scrapers and probes alone has.
    var isForScrapers: Bool { exposure != .guarded }

    /// The methods it takes, in the order of the Allow field.
    var methods: [HTTPRequest.Method] {
        switch self {
        case .reload, .mirrorPause, .mirrorResume, .mirrorJudgeAgain: [.post]
        case .explain: [.get, .head, .post]
        // A stream has no head of its own to look at.
        case .events: [.get]
        default: [.get, .head]
        }
    }

    /// The question of the JSON API that it asks, where it is one.
    var subject: AdminQuestion.Subject? {
        switch self {
        case .routes: .routes
        case .exchanges: .exchanges
        case .explain: .explain
        case .unmatched: .unmatched
        case .findings: .findings
        case .mirror: .mirror
        case .timeline: .timeline
        case .packets: .packets
        default: nil
        }
    }
}
