// Wingmirror · Apache-2.0

import Testing

@testable import AdminServer

@Suite(.timeLimit(.minutes(20)))
struct AdminAccessTests {
    private let open = AdminAccess(credentials: .none)

    @Test(arguments: ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
    func `without credentials a peer on loopback may use everything`(address: String) {
        let peer = AdminAccess.Peer(address: address, authority: "localhost:9646")
        #expect(open.decide(.guarded, for: peer) == .admitted)
    }

    @Test(arguments: ["10.0.0.1", "2001:db8::1", "::ffff:10.0.0.1", "128.0.0.1", nil])
    func `without credentials another peer gets metrics and health only, and the reason`(address: String?) {
        let peer = AdminAccess.Peer(address: address, authority: "127.0.0.1")
        #expect(open.decide(.open, for: peer) == .admitted)
        #expect(open.decide(.openWithoutCredentials, for: peer) == .admitted)
        guard case .forbidden(let reason) = open.decide(.guarded, for: peer) else {
            Issue.record("a peer that is not on loopback was admitted")
            return
        }
        #expect(reason.contains("loopback"))
    }

    @Test(arguments: [
        ("10.0.0.5:19646", 19646), ("[2001:db8::1]:80", 80), ("[2001:db8::1]", 9646), ("node:x", 9646), (nil, 9646),
    ])
    func `a peer elsewhere reads how the port is forwarded`(authority: String?, port: Int) {
        let peer = AdminAccess.Peer(address: "10.0.0.1", authority: authority)
        guard case .forbidden(let reason) = open.decide(.guarded, for: peer) else {
            Issue.record("a peer that is not on loopback was admitted")
            return
        }
        let way = "forward the port (ssh -L \(port):127.0.0.1:\(port) HOST, or kubectl port-forward), or set admin.auth"
        #expect(reason.hasSuffix(way))
    }

    @Test(arguments: [
        ("127.0.0.1:9646", true), ("[::1]:9646", true), ("LOCALHOST", true), ("evil.example", false), ("", false),
        ("[evil]", false), ("[", false), ("[::1", false), ("1.2", false), ("...", false), ("127.0.0.1:x", false),
        ("[::1]", true), ("[::1]x", false), ("127.0.0.1", true),
        (nil, false),
    ])
    func `on loopback the Host field must name an address`(authority: String?, isAdmitted: Bool) {
        let peer = AdminAccess.Peer(address: "127.0.0.1", authority: authority)
        #expect((open.decide(.guarded, for: peer) == .admitted) == isAdmitted)
    }

    @Test func `whatever tells of traffic or changes something is guarded`() {
        let open: Set<AdminEndpoint> = [.health, .readiness, .metrics, .istioMetrics]
        for endpoint in AdminEndpoint.allCases where !open.contains(endpoint) {
            #expect(endpoint.exposure == .guarded, "\(endpoint.rawValue)")
        }
    }

    @Test func `with credentials loopback alone is not enough`() {
        let access = AdminAccess(credentials: AdminCredentials(basicPairs: [], bearerTokens: ["t"]))
        let peer = AdminAccess.Peer(address: "127.0.0.1", authority: "localhost")
        #expect(access.decide(.guarded, for: peer) == .unauthenticated)
        #expect(access.decide(.openWithoutCredentials, for: peer) == .unauthenticated)
        #expect(access.decide(.open, for: peer) == .admitted)
    }

    @Test(arguments: [
        (nil, false), ("", false), ("gzip", true), ("deflate, gzip;q=1.0", true), ("gzip;q=0", false),
        ("gzip; Q=0.000", false),
        ("*", true), ("*, gzip;q=0", false), ("identity", false), ("x-gzip", true), ("gzip;q=0.1, identity", true),
    ])
    func `gzip is sent when it is accepted`(field: String?, isAccepted: Bool) {
        #expect(ContentCoding.acceptsGzip(field) == isAccepted)
    }
}
