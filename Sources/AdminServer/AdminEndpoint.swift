// Wingmirror · Apache-2.0

import HTTPTypes

/// The endpoints, and who may use each.
enum AdminEndpoint: String, CaseIterable {
    case metrics = "/metrics"
    case health = "/healthz"
    case readiness = "/readyz"
    case status = "/api/v1/status"
    case configuration = "/api/v1/config"
    case reload = "/-/reload"

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
        case .metrics: .openWithoutCredentials
        case .status, .configuration, .reload: .guarded
        }
    }

    /// The methods it takes, in the order of the Allow field.
    var methods: [HTTPRequest.Method] {
        self == .reload ? [.post] : [.get, .head]
    }
}
