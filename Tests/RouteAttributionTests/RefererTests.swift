// Wingmirror · Apache-2.0

import RouteAttribution
import Testing

/// Which values of Referer the proxy leaves in a request; each was shown to Envoy 1.40.
@Suite struct RefererTests {
    private static func isKept(_ values: String...) throws -> Bool {
        let rules = """
            [{name: kept, match: [{headers: {referer: {}}}], route: [{destination: {host: a}}]}, \
            {name: gone, route: [{destination: {host: a}}]}]
            """
        let table = try compile(everyHostGateway, virtualService(http: rules)).table
        return table.routeName("/", headers: values.map { ("Referer", $0) }) == "kept"
    }

    @Test(arguments: [
        "https://a.com/", "http://a.com", "HTTPS://A.com/", "https://a.com:8443/x", "https://a.com:65535/",
        "https://a.com:00080/", "https://a.com:0/", "https://a.com:80?x", "https://[::1]/x", "https://[::1]:80/",
        "https://[1.2.3.4]/", "https://[::ffff:1.2.3.4]/", "https://[1:2:3:4:5:6:7:8]/", "https://@a.com/",
        "https://@[::1]/", "https://a.com/x?q=a|b", "https://a.com/x?q={}", "https://a.com/\"", "https://a.com/[x]",
        "https://a.com/%zz", "https://a.com/^", "https://a.com?x", "https://a.com/x@y", "https://-a.com/",
        "https://a..com/", "https://./", "https://a.com/<x>", "https://a.com/#", "https://a.com/##", "https://a.com?#",
        "https://a.com/x?y?z#", "android-app://com.google.android.gm", "android-app://x/a|b", "ios-app://1/x",
        "chrome-extension://abc/x.html", "capacitor://localhost", "A-B+C.D://x/", "a1://x/", "x-y://[::1]/",
        "/rel", "rel", "rel/a:b", "a/:b", "//a.com/x", "//a:b", "-", "null", "", "?q", "/?a:b", "/:a", "/a%b", "*",
        "*/", "*?x",
        "a*b", "a@b", "a;b", "(x)", "~", "unknown", "a.com", "a_b", "android-app",
    ])
    func `a URL without fragment and user is kept`(value: String) throws {
        #expect(try Self.isKept(value))
    }

    @Test(arguments: [
        "about:blank", "https://a.com/#x", "https://a.com/#?", "https://a.com/##a", "https://a.com#",
        "https://a.com:80#",
        "https://u:p@a.com/", "https://u@a.com/", "https://@@a/", "u:p@x", "a:b", "file:///x", "https://a.com/é",
        "https://a.com/a b", "https://a.com/x\ty", "https://exa_mple.com/x", "data:text/html,x", "https://",
        "https:///",
        "https://?x", "http:/a", "tel:1", "javascript:1", "https:a.com", "a.com:80", "a.com/x#y", "/a#", "/?#", "*#x",
        "https://a.com:/", "https://a.com:99999/", "https://a.com:65536/", "https://xn--a.com/ü", "/a\"b", "/a|b",
        "/a b",
        "a\\b", "/a\\b", "/a^b", "/a`b", "/{x}", "/[x]", "/é", "1a://x", "-a://x", "+://x", "a_b://x/", "a-b:c", "a:/b",
        "?a:b",
        "*:a", "*|", "https://[::1", "https://[::g]/", "https://[1]/", "https://[1:2:3]/", "https://[::1]x/",
        "https://[1:2:3:4:5:6:7:8:9]/", "https://[12345::]/", "https://[:::]/", "https://[1::2::3]/",
        "https://[256.1.1.1]/",
        "https://[1.2.3]/", "android-app://x/#y", "android-app://u@x/", "android-app://x|", "android-app://x_y/",
        "android-app:/x", "ios-app://", "x-y://a:b/", "x-y:/a:b",
    ])
    func `anything else is gone before routing`(value: String) throws {
        #expect(try !Self.isKept(value))
    }

    @Test func `several lines are one value`() throws {
        #expect(try Self.isKept("https://a.com/", "https://b.com/"))
        #expect(try !Self.isKept("https://a.com/", "#x"))
        #expect(try !Self.isKept("a", "a:b"))
    }

    @Test func `a condition that must not hold counts what is gone as empty`() throws {
        let rules = """
            [{name: other, match: [{withoutHeaders: {referer: {regex: 'https://.+'}}}], route: [{destination: {host: a}}]}, \
            {name: any, route: [{destination: {host: a}}]}]
            """
        let table = try compile(everyHostGateway, virtualService(http: rules)).table
        #expect(table.routeName("/", headers: [("referer", "https://a.com/#x")]) == "other")
        #expect(table.routeName("/", headers: [("referer", "https://a.com/")]) == "any")
    }
}
