// Wingmirror · Apache-2.0

/// A gateway's own account of a capture, as `samples/captures/recorder` counts it from the access log.
struct CaptureTruth: Decodable {
    struct Octets: Decodable {
        let requestBytes: Int
        let responseBytes: Int
    }

    struct Route: Decodable {
        let virtualService: String
        let rule: Int
        let requests: Int
        let statuses: [String: Int]
        let methods: [String: Int]
        let requestBytes: Int
        let responseBytes: Int
        let upgraded: Octets
    }

    struct Unmatched: Decodable {
        let statuses: [String: Int]
    }

    let exchanges: Int
    let connectionsWithRequests: Int
    let routes: [Route]
    let unmatched: [String: Unmatched]
    /// Envoy's response flags: DC for a client that went away, UPE for a service that broke off its answer.
    let flags: [String: Int]
}
