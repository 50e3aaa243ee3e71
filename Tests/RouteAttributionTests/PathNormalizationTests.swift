// Wingmirror · Apache-2.0

import OctetText
import RouteAttribution
import Testing

/// Each row was read off Envoy 1.40.
@Suite struct PathNormalizationTests {
    private static func table(_ mode: PathNormalization, envoyMinor: Int = 40) throws -> RouteTable {
        var environment = RouteEnvironment()
        environment.pathNormalization = mode
        environment.envoyVersion = EnvoyVersion(major: 1, minor: envoyMinor)
        let rules = "[{route: [{destination: {host: a}}]}]"
        return try compile(everyHostGateway, virtualService(http: rules), environment: environment).table
    }

    @Test(arguments: [
        ("/a/..", "/"), ("/a/.", "/a/"), ("/../x", "/x"), ("/a//../b", "/a/b"), ("/a/b/../../../c", "/c"),
        ("/products/%2e%2E/orders", "/orders"), ("/a/.%2e", "/"), ("/a\\b\\..\\c", "/a/c"), ("/a/...", "/a/..."),
        ("/a.b/.c", "/a.b/.c"), ("/%41%7e%2D", "/A~-"), ("/%2f%2F%5c", "/%2f%2F%5c"), ("/%zz%4", "/%zz%4"),
        ("/^{}|<>\"`", "/%5E%7B%7D%7C%3C%3E%22%60"), ("/!$&'()*+,:;=@[]", "/!$&'()*+,:;=@[]"), ("/a//b", "/a//b"),
        ("/%2%41", "/%252A"), ("/%%30%30", "/%2500"), ("/a#b/../..", "/a"), ("/a?b/../c#d", "/a"),
    ])
    func `the base setting rewrites a path as Envoy does`(sent: String, seen: String) throws {
        #expect(try Self.table(.base).explain(sent).path == seen)
    }

    @Test(arguments: [
        ("/a/..;b/c", "/c"), ("/a/..;", "/"), ("/a/.;x/c", "/a/c"), ("/a/..;x;y/c", "/c"), ("/a/..;%2fx/c", "/c"),
        ("/a/..;\\x", "/"), ("/..;a%00b", "/"), ("/a/%2e%2e;/c", "/a/..;/c"), ("/a/...;/d", "/a/...;/d"),
        ("/a/b..;/d", "/a/b..;/d"), ("/a/..%3b/c", "/a/..%3b/c"),
    ])
    func `parameters of a dot segment do not hide it from version 1.40 on`(sent: String, seen: String) throws {
        #expect(try Self.table(.base).explain(sent).path == seen)
    }

    @Test func `parameters of a dot segment hide it before version 1.40`() throws {
        #expect(try Self.table(.base, envoyMinor: 39).explain("/a/..;b/c").path == "/a/..;b/c")
    }

    @Test(arguments: [("/a//b///c", "/a/b/c"), ("//a//", "/a/"), ("//", "//"), ("/\\", "//"), ("/a/..//b", "/b")])
    func `merging makes one slash of several`(sent: String, seen: String) throws {
        #expect(try Self.table(.mergeSlashes).explain(sent).path == seen)
    }

    @Test(arguments: [("/a%2fb", "/a/b"), ("/a%5C%2F..%2fb", "/a/b"), ("/a%2F%2Fb", "/a/b"), ("/%252f", "/%252f")])
    func `decoding brings escaped slashes in first`(sent: String, seen: String) throws {
        #expect(try Self.table(.decodeAndMergeSlashes).explain(sent).path == seen)
    }

    @Test(arguments: ["/a/../b", "/%41", "/a//b", "/a\\b", "/..;x/"])
    func `no setting leaves paths alone`(sent: String) throws {
        #expect(try Self.table(.none).explain(sent).path == sent)
    }

    @Test func `a normalised path without parameters stays as it is`() throws {
        let table = try Self.table(.base)
        var generator = SeededGenerator(seed: 7)
        let parts = ["/", ".", "..", "%2e", "%2f", "a", "%", "4", "1", "\\", "%5c", "|", "//", "/./", "/../"]
        for _ in 0..<2000 {
            let count = Int.random(in: 0...8, using: &generator)
            let sent = "/" + (0..<count).map { _ in parts.randomElement(using: &generator) ?? "" }.joined()
            let once = table.explain(sent).path
            #expect(table.explain(once).path == once, "seed 7, sent \(sent)")
        }
    }
}
