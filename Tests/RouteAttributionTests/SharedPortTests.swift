// Wingmirror · Apache-2.0

import RouteAttribution
import Testing

/// Servers that come to one port: pilot/pkg/model/gateway.go mergeGateways.
@Suite struct SharedPortTests {
    private static func server(_ host: String, tls: String = "", protocolName: String = "HTTP", port: Int = 443)
        -> String
    {
        let tls = tls.isEmpty ? "" : ", tls: {\(tls)}"
        return
            "{port: {number: \(port), name: 's\(host)', protocol: \(protocolName)}, hosts: [\(host).example.com]\(tls)}"
    }

    private static func gateway(_ servers: [String]) -> String {
        """
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: gw, namespace: default}
        spec: {servers: [\(servers.joined(separator: ", "))]}
        """
    }

    private static let secure = server("secure", tls: "mode: SIMPLE, credentialName: c", protocolName: "HTTPS")
    private static let second = server("second", tls: "mode: SIMPLE, credentialName: d", protocolName: "HTTPS")
    private static let plain = server("plain")
    private static let other = server("other")
    private static let redirecting = server("redirecting", tls: "httpsRedirect: true")
    private static let opaque = server("opaque", protocolName: "TCP")

    @Test(arguments: [
        // Behind one server with TLS, a plain one is kept.
        ([secure, plain], ["plain"]),
        // Behind two it is not, be the second one kept for TLS, for HTTP or for TCP.
        ([secure, second, plain], []), ([secure, plain, other], ["plain"]), ([secure, opaque, plain], []),
        ([plain, other], ["plain", "other"]),
        // One with a `tls` block of its own passes that check, but not that for the name of the table.
        ([secure, second, redirecting], ["redirecting"]), ([secure, plain, redirecting], ["plain"]),
    ])
    func `a port whose first server has TLS has room for one plain server`(servers: [String], hosts: [String]) throws {
        let rules = "[{route: [{destination: {host: a}}]}]"
        let table = try compile(Self.gateway(servers), virtualService(hosts: "['*.example.com']", http: rules)).table
        let served = ["plain", "other", "redirecting"].filter {
            let outcome = table.explain("/", authority: "\($0).example.com", port: 443).decision.outcome
            return outcome == .route || outcome == .httpsRedirect
        }
        #expect(Set(served) == Set(hosts))
    }

    @Test func `two server numbers of one pod port are asked one after the other`() throws {
        let service = """
            apiVersion: v1
            kind: Service
            metadata: {name: ig, namespace: istio-system}
            spec: {selector: {istio: ingressgateway}, ports: [{name: http, port: 80, targetPort: 8080}]}
            """
        let rules = "[{name: r, match: [{port: 8080}], route: [{destination: {host: a}}]}]"
        for ports in [[80, 8080], [8080, 80]] {
            let servers = ports.map {
                "{port: {number: \($0), name: http-\($0), protocol: HTTP}, hosts: ['*']}"
            }
            let table = try compile(Self.gateway(servers), service, virtualService(http: rules)).table
            #expect(table.explain("/", port: 8080).decision.outcome == .route, "\(ports)")
        }
    }
}
