// Wingmirror · Apache-2.0

import Testing

@testable import ShadowTesting

@Suite struct CurlLineTests {
    private let target = MirrorTarget(name: "staging", host: "staging.internal", port: 8080)

    @Test func `a line repeats a request with its marker`() throws {
        let request = ShadowRequest(
            method: "GET",
            target: "/a?b=[1-3]",
            fields: [
                ShadowRequest.Field(name: "host", value: "shop.example.com"),
                ShadowRequest.Field(name: "X-Empty", value: ""),
                ShadowRequest.Field(name: "wingmirror-shadow", value: "n;hops=1"),
            ]
        )
        #expect(
            CurlLine.text(for: request, to: target) == """
                curl -sS -i --globoff --path-as-is -H 'host: shop.example.com' -H 'X-Empty;' \
                -H 'wingmirror-shadow: n;hops=1' -H User-Agent: -H Accept: \
                --url 'http://staging.internal:8080/a?b=[1-3]'
                """
        )
    }

    @Test func `a number sign in a target is sent`() {
        let line = CurlLine(method: "GET").text(scheme: "http", authority: "a", target: "/frag#x")
        #expect(line.hasSuffix("--request-target '/frag#x' --url http://a/"))
    }

    @Test func `what curl would add is what the copy had`() {
        let request = ShadowRequest(
            method: "GET",
            target: "/",
            fields: [
                ShadowRequest.Field(name: "user-agent", value: "u"), ShadowRequest.Field(name: "accept", value: "a"),
            ]
        )
        let line = CurlLine.text(for: request, to: target)
        #expect(!line.contains("User-Agent:") && !line.contains("Accept:"))
    }

    @Test func `octets that are no text are quoted as octets`() {
        #expect(CurlLine.word(octets: [0x2F, 0xE9, 0x27]) == #"$'/\351\''"#)
    }

    @Test func `content is not shown`() {
        let request = ShadowRequest(
            method: "POST",
            target: "/",
            fields: [ShadowRequest.Field(name: "content-length", value: "5")],
            content: Array("plain".utf8)
        )
        let line = CurlLine.text(for: request, to: target)
        #expect(line.contains("--data-binary @content-of-5-bytes"))
        #expect(!line.contains("plain") && !line.contains("content-length"))
    }

    @Test func `credentials that the policy keeps, or are left in a parameter, are not shown`() {
        let request = ShadowRequest(
            method: "HEAD",
            target: "/a?key=planted&x=1",
            fields: [ShadowRequest.Field(name: "Authorization", value: "planted")]
        )
        let line = CurlLine.text(for: request, to: target)
        #expect(!line.contains("planted"))
        #expect(line.contains(" --head "))
    }

    @Test func `a JSON Web Token that the policy keeps for its name is not shown`() throws {
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"
        let driver = BuilderDriver {
            $0.policy.keptFields = ["x-context"]
            $0.policy.keptParameters = ["context"]
        }
        let request = try driver.build(.client("GET", "/a?context=\(token)&b=c", [("X-Context", token)]))
        #expect(request.values(of: "x-context") == [token])
        #expect(request.target == "/a?context=\(token)&b=c")
        let line = CurlLine.text(for: request, to: driver.target)
        #expect(!line.contains("eyJ"))
        #expect(line.contains("-H 'X-Context: REDACTED'") && line.hasSuffix("/a?context=REDACTED&b=c'"))
    }

    @Test func `a target that is no path is not taken for an option`() {
        let line = CurlLine(method: "OPTIONS").text(scheme: "http", authority: "a.example:80", target: "*")
        #expect(
            line == """
                curl -sS --globoff --path-as-is -X OPTIONS -H User-Agent: -H Accept: --request-target '*' \
                --url http://a.example:80/
                """
        )
    }

    @Test func `a GET with content says its method`() {
        let line = CurlLine(method: "GET", contentOctets: 5).text(scheme: "http", authority: "a", target: "/")
        #expect(line.contains("-X GET --data-binary @content-of-5-bytes"))
    }

    @Test(arguments: [
        ("/a-b.c:80", "/a-b.c:80"), ("two words", "'two words'"), ("it's", #"'it'\''s'"#), ("'", #"''\'''"#),
        ("$(id) `id` !x", "'$(id) `id` !x'"),
        ("", "''"),
        ("a\nb", #"$'a\012b'"#), ("a\u{1}'\\", #"$'a\001\'\\'"#), ("é", #"$'\303\251'"#), ("\u{7F}1", #"$'\1771'"#),
    ])
    func `words are quoted so that a shell reads them back`(text: String, expected: String) {
        #expect(CurlLine.word(text) == expected)
    }
}
