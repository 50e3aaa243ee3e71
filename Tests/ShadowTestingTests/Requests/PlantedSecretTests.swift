// Wingmirror · Apache-2.0

import Redaction
import Testing
import TrafficModel

@testable import ShadowTesting

/// Plants secrets wherever a request can carry one, and looks for them in everything that leaves.
@Suite struct PlantedSecretTests {
    private static let secret = "planted-5ecret"

    /// A request full of secrets, and a policy that names those that no default can know.
    private func exchange() -> RecordedExchange {
        let secret = Self.secret
        let fields = [
            ("Host", "shop.example.com"), ("Authorization", "Bearer \(secret)"),
            ("Proxy-Authorization", "Basic \(secret)"),
            ("Cookie", "session=\(secret); theme=dark"), ("X-Api-Key", secret),
            ("X-Forwarded-Client-Cert", "Hash=\(secret)"),
            ("X-Auth-Token", secret), ("Referer", "https://u:\(secret)@shop.example.com/?token=\(secret)#\(secret)"),
            ("X-Original-Url", "/x?access_token=\(secret)"), ("X-Customer", secret), ("X-Tenant", secret),
            ("tracestate", secret), ("baggage", "user=\(secret)"), ("uber-trace-id", secret), ("X-Hop", secret),
            ("Connection", "x-hop"), ("Content-Type", "application/json"), ("wingmirror-link", secret),
        ]
        let content = """
            {"user":{"mail":"\(secret)@example.com","name":"\(secret)"},"items":[{"owner":"\(secret)"}],"pl\\u0061in":"\(secret)"}
            """
        return RecordedExchange(
            request: .client(
                "POST",
                "http://user:\(secret)@shop.example.com/a;jsessionid=\(secret)/b?access_token=\(secret)&who=\(secret)#\(secret)",
                fields,
                content: content
            ),
            clientAddress: secret,
            startTime: 1
        )
    }

    private func driver() -> BuilderDriver {
        BuilderDriver {
            $0.policy.methods = ["POST"]
            $0.policy.removedFields = ["x-tenant"]
            $0.policy.hashedFields = ["x-customer"]
            $0.policy.hashedParameters = ["who"]
            $0.policy.hashedContent = ["user", "items[].owner", "plain"]
            $0.target.hostField = .original
        }
    }

    private func build() throws -> ShadowRequest {
        let driver = driver()
        let builder = ShadowRequestBuilder(
            policy: driver.policy,
            target: driver.target,
            node: driver.node,
            key: driver.key
        )
        return try builder.build(exchange())
    }

    @Test func `no planted secret is in what is sent`() throws {
        let request = try build()
        var everything = request.method + request.target + request.contentText
        for field in request.fields { everything += field.name + field.value }
        #expect(!everything.lowercased().contains("5ecret"))
        #expect(request.redactions == 19)
    }

    @Test func `no planted secret is in a description or a dump`() throws {
        let request = try build()
        #expect(!"\(request)\(request.debugDescription)".contains("5ecret"))
        let key = RedactionKey(high: 0xAAAA_BBBB_CCCC_DDDD, low: 0x1111_2222_3333_4444)
        var text = "\(key) \(key.debugDescription) "
        dump(key, to: &text)
        for part in ["12297848147757817309", "aaaabbbb", "1229801703532086340", "11112222"] {
            #expect(!text.lowercased().contains(part))
        }
    }

    @Test func `no planted secret is in a curl line, even if the policy lets it through`() throws {
        var driver = driver()
        driver.policy.keptFields = ["authorization", "cookie", "x-api-key", "x-auth-token", "x-forwarded-client-cert"]
        let builder = ShadowRequestBuilder(
            policy: driver.policy,
            target: driver.target,
            node: driver.node,
            key: driver.key
        )
        let request = try builder.build(exchange())
        #expect(request.values(of: "authorization") == ["Bearer \(Self.secret)"])
        let line = CurlLine.text(for: request, to: driver.target)
        #expect(!line.contains("5ecret"))
        #expect(line.contains("-H 'Authorization: REDACTED'"))
    }
}
