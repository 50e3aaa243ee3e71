// Wingmirror · Apache-2.0

import ResourceFiles
import RouteAttribution
import Testing

/// For each lint the smallest objects that trigger it and the nearest that do not.
@Suite struct RouteLintTests {
    private static let services = """
        apiVersion: v1
        kind: Service
        metadata: {name: a, namespace: default}
        spec: {ports: [{name: http, port: 80}]}
        ---
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: a, namespace: default}
        spec: {host: a, subsets: [{name: v1}]}
        """
    private static let to = "route: [{destination: {host: a}}]"

    /// The findings of validation, compilation and lint, as `routes check` shows them.
    private static func findings(_ manifests: String...) throws -> [RouteFinding] {
        let objects = RouteResources(
            decoding: try YAMLDocuments.parse(manifests.joined(separator: "\n---\n")).map(\.value)
        )
        let (table, findings) = RouteTable.compile(objects, environment: RouteEnvironment())
        // Hardly any rule here has a name, which is not what these tests are about.
        return (findings + RouteLint(objects, table: table).findings).filter { $0.code != .unnamedRules }
    }

    private static func codes(_ manifests: String...) throws -> [FindingCode] {
        try findings(manifests.joined(separator: "\n---\n")).map(\.code)
    }

    private static func gateway(hosts: String = "['*']", selector: String = "{}", name: String = "gw") -> String {
        """
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: \(name), namespace: default}
        spec: {selector: \(selector), servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: \(hosts)}]}
        """
    }

    @Test(arguments: [
        (FindingCode.missingGateway, "gateways: [gw, none]", "gateways: [gw, mesh]"),
        (.hiddenFromGateway, "gateways: [gw]\n  exportTo: ['.']", "gateways: [gw]\n  exportTo: [istio-system]"),
        (.refusedObject, "gateways: [./gw]", "gateways: [mesh, ./gw]"),
    ])
    func `the object as a whole is checked`(code: FindingCode, bad: String, good: String) throws {
        let rules = "[{\(Self.to)}]"
        #expect(
            try Self.codes(Self.gateway(), Self.services, virtualService(hosts: "[x.com]", http: rules, spec: bad)) == [
                code
            ]
        )
        #expect(
            try Self.codes(Self.gateway(), Self.services, virtualService(hosts: "[x.com]", http: rules, spec: good))
                == []
        )
    }

    @Test(arguments: [
        (FindingCode.shortHost, "[shop]", "[shop.com]"),
        (.disjointHosts, "[shop.org]", "['*.com']"),
    ])
    func `hosts that no request can name are told`(code: FindingCode, bad: String, good: String) throws {
        func codes(_ hosts: String) throws -> [FindingCode] {
            let server = code == .disjointHosts ? "['*.com']" : "['*']"
            return try Self.codes(
                Self.gateway(hosts: server),
                Self.services,
                virtualService(hosts: hosts, http: "[{\(Self.to)}]")
            )
        }
        #expect(try codes(bad) == [code])
        #expect(try codes(good) == [])
    }

    @Test(arguments: [
        (
            FindingCode.unreachableAfterCatchAll, "[{\(to)}, {match: [{uri: {prefix: /a}}], \(to)}]",
            "[{match: [{uri: {prefix: /a}}], \(to)}, {\(to)}]"
        ),
        (
            .unreachableAfterCatchAll,
            "[{match: [{uri: {regex: '.*'}}], \(to)}, {match: [{uri: {prefix: /a}}], \(to)}]",
            "[{match: [{uri: {regex: '/.*'}}], \(to)}, {match: [{uri: {prefix: /a}}], \(to)}]"
        ),
        (
            .shadowedRoute, "[{match: [{uri: {prefix: /a}}], \(to)}, {match: [{uri: {exact: /a/b}}], \(to)}]",
            "[{match: [{uri: {exact: /a/b}}], \(to)}, {match: [{uri: {prefix: /a}}], \(to)}]"
        ),
        (
            .shadowedRoute,
            "[{match: [{uri: {prefix: /A}, ignoreUriCase: true}], \(to)}, {match: [{uri: {exact: /aB}}], \(to)}]",
            "[{match: [{uri: {prefix: /a}}], \(to)}, {match: [{uri: {exact: /aB}, ignoreUriCase: true}], \(to)}]"
        ),
        (
            .shadowedRoute,
            "[{match: [{headers: {x: {exact: '1'}}}], \(to)}, "
                + "{match: [{uri: {prefix: /a}, headers: {x: {exact: '1'}, y: {}}}], \(to)}]",
            "[{match: [{headers: {x: {exact: '1'}}}], \(to)}, {match: [{uri: {prefix: /a}, headers: {y: {}}}], \(to)}]"
        ),
        (
            .shadowedRoute, "[{match: [{uri: {regex: '/a.'}}], \(to)}, {match: [{uri: {regex: '/a.'}}], \(to)}]",
            "[{match: [{uri: {regex: '/a.'}}], \(to)}, {match: [{uri: {regex: '/b.'}}], \(to)}]"
        ),
        (
            .impossiblePath, "[{match: [{uri: {prefix: 'a'}}], \(to)}]", "[{match: [{uri: {prefix: '/a'}}], \(to)}]"
        ),
        (
            .impossiblePath, "[{match: [{uri: {exact: '/a?b'}}], \(to)}]",
            "[{match: [{uri: {exact: '/a%2Fb'}}], \(to)}]"
        ),
        (
            .impossiblePath, "[{match: [{uri: {prefix: '/a/../b'}}], \(to)}]",
            "[{match: [{uri: {prefix: '/a/.'}}], \(to)}]"
        ),
        (
            .costlyRegex, "[{match: [{uri: {regex: '/([a-z]{1,40}/){1,20}'}}], \(to)}]",
            "[{match: [{uri: {regex: '/[a-z]{1,100}'}}], \(to)}]"
        ),
        (
            .unusualWeights, "[{route: [{destination: {host: a}, weight: 1}, {destination: {host: a}, weight: 2}]}]",
            "[{route: [{destination: {host: a}, weight: 40}, {destination: {host: a}, weight: 60}]}]"
        ),
        (
            .refusedTable, "[{redirect: {uri: /x, redirectCode: 304}}]", "[{redirect: {uri: /x, redirectCode: 308}}]"
        ),
        (
            .unknownService, "[{route: [{destination: {host: b}}]}]",
            "[{route: [{destination: {host: a.default.svc.cluster.local}}]}]"
        ),
        (
            .unknownPort, "[{route: [{destination: {host: a, port: {number: 81}}}]}]",
            "[{route: [{destination: {host: a, port: {number: 80}}}]}]"
        ),
        (
            .unknownSubset, "[{route: [{destination: {host: a, subset: v2}}]}]",
            "[{route: [{destination: {host: a, subset: v1}}]}]"
        ),
        (.missingDelegate, "[{delegate: {name: none}}]", "[{\(to)}]"),
    ])
    func `rules that cannot do what they say are told`(code: FindingCode, bad: String, good: String) throws {
        func codes(_ rules: String) throws -> [FindingCode] {
            try Self.codes(Self.gateway(), Self.services, virtualService(hosts: "[x.com]", http: rules))
        }
        #expect(try codes(bad).contains(code))
        #expect(try codes(good) == [])
    }

    @Test func `a gateway for other pods is told, and one for all is not`() throws {
        let rules = virtualService(http: "[{\(Self.to)}]")
        #expect(
            try Self.codes(Self.gateway(selector: "{app: other}"), Self.services, rules) == [
                .otherWorkload, .assumedWorkload,
            ]
        )
        #expect(try Self.codes(Self.gateway(), Self.services, rules) == [])
    }

    @Test func `a rule of another object that never gets a request is told with the one before it`() throws {
        let older = virtualService("older", hosts: "[x.com]", http: "[{\(Self.to)}]")
        let younger = virtualService(
            "younger",
            hosts: "[x.com]",
            http: "[{match: [{uri: {prefix: /}}], \(Self.to)}]",
            created: "2026-02-01T00:00:00Z"
        )
        let found = try Self.findings(Self.gateway(), Self.services, older, younger)
        #expect(found.map(\.code) == [.shadowedRoute])
        #expect(found.first?.object.name == "younger")
        #expect(found.first?.message.contains("default/older") == true)
    }

    @Test func `the largest weights are summed and said`() throws {
        let entry = "{destination: {host: a}, weight: 2147483647}"
        let rules = "[{route: [\(entry), \(entry), \(entry)]}]"
        let found = try Self.findings(Self.gateway(), Self.services, virtualService(hosts: "[x.com]", http: rules))
        #expect(found.contains { $0.code == .unusualWeights && $0.message.contains("sum to 6442450941;") }, "\(found)")
    }

    @Test func `one name for rules of two objects is told`() throws {
        let one = virtualService("one", hosts: "[x.com]", http: "[{name: n, \(Self.to)}]")
        let two = virtualService("two", hosts: "[y.com]", http: "[{name: n, \(Self.to)}]")
        #expect(try Self.codes(Self.gateway(), Self.services, one, two) == [.ambiguousRouteName])
    }

    /// A rule of an older object, one of a younger, whether some requests fit both, and what keeps them apart if none do.
    @Test(arguments: [
        ("{uri: {prefix: /a/b}}", "{uri: {prefix: /a}}", true),
        ("{uri: {prefix: /a/b}}", "{uri: {prefix: /b}}", false),
        ("{uri: {exact: /a/b}}", "{uri: {prefix: /a/}}", true),
        ("{uri: {exact: /a/b}}", "{uri: {prefix: /a/b/}}", false),
        ("{uri: {exact: /a/B}, ignoreUriCase: true}", "{uri: {prefix: /a/b}}", true),
        ("{uri: {regex: '/a.*'}}", "{uri: {prefix: /a}}", false),
        ("{uri: {prefix: /a/b}}", "{uri: {prefix: /}}", false),
        ("{uri: {prefix: /a}, method: {exact: GET}}", "{uri: {prefix: /a}}", true),
        ("{uri: {prefix: /a}, method: {exact: GET}}", "{uri: {prefix: /a}, method: {exact: PUT}}", false),
        ("{uri: {prefix: /a}, headers: {x: {exact: '1'}}}", "{uri: {prefix: /a}, headers: {y: {exact: '2'}}}", true),
        ("{uri: {prefix: /a}, headers: {x: {prefix: v1}}}", "{uri: {prefix: /a}, headers: {x: {exact: v1.2}}}", true),
        ("{uri: {prefix: /a}, headers: {x: {prefix: v2}}}", "{uri: {prefix: /a}, headers: {x: {exact: v1.2}}}", false),
        (
            "{uri: {prefix: /a}, headers: {x: {exact: '1'}}}", "{uri: {prefix: /a}, withoutHeaders: {x: {exact: '2'}}}",
            true
        ),
        ("{uri: {prefix: /a}, headers: {x: {exact: '1'}}}", "{uri: {prefix: /a}, withoutHeaders: {x: {}}}", false),
        (
            "{uri: {prefix: /a}, withoutHeaders: {x: {}}}", "{uri: {prefix: /a}, withoutHeaders: {x: {exact: '2'}}}",
            true
        ),
        (
            "{uri: {prefix: /a}, withoutHeaders: {x: {exact: '2'}}}", "{uri: {prefix: /a}, headers: {x: {exact: '2'}}}",
            false
        ),
    ])
    func `rules of two objects that want the same requests are told`(older: String, younger: String, meet: Bool) throws
    {
        func codes(_ youngerHosts: String) throws -> [FindingCode] {
            try Self.codes(
                Self.gateway(),
                Self.services,
                virtualService("older", hosts: "[x.com]", http: "[{match: [\(older)], \(Self.to)}]"),
                virtualService(
                    "younger",
                    hosts: youngerHosts,
                    http: "[{match: [\(younger)], \(Self.to)}]",
                    created: "2026-02-01T00:00:00Z"
                )
            )
        }
        #expect(try codes("[x.com]") == (meet ? [.overlappingRoutes] : []))
        #expect(try codes("[y.com]") == [])
    }

    @Test func `two objects that overlap in many rules are told once, with the one that gets the requests`() throws {
        let rules = (0..<3).map { "{match: [{uri: {prefix: /a/\($0)}}], \(Self.to)}" }.joined(separator: ", ")
        let found = try Self.findings(
            Self.gateway(),
            Self.services,
            virtualService("older", hosts: "[x.com]", http: "[\(rules)]"),
            virtualService(
                "younger",
                hosts: "[x.com]",
                http: "[{match: [{uri: {prefix: /a}}], \(Self.to)}]",
                created: "2026-02-01T00:00:00Z"
            )
        )
        #expect(found.map(\.code) == [.overlappingRoutes])
        #expect(found.first?.object.name == "younger")
        #expect(found.first?.message.contains("VirtualService default/older rule 0 (uri prefix /a/0)") == true)
    }

    // MARK: - Sidecars

    private static func namespace(_ labels: String) -> String {
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: default, labels: \(labels)}"
    }

    private static func deployment(_ metadata: String, kind: String = "Deployment", spec: String = "{}") -> String {
        """
        apiVersion: apps/v1
        kind: \(kind)
        metadata: {name: a, namespace: default}
        spec: {template: {metadata: \(metadata), spec: \(spec)}}
        """
    }

    private static let selecting = """
        apiVersion: v1
        kind: Service
        metadata: {name: a, namespace: default}
        spec: {selector: {app: a}, ports: [{name: http, port: 80}]}
        """

    @Test(arguments: [
        ("the namespace does not ask", namespace("{}"), deployment("{labels: {app: a}}"), true),
        ("the namespace asks", namespace("{istio-injection: enabled}"), deployment("{labels: {app: a}}"), false),
        ("the namespace asks for a revision", namespace("{istio.io/rev: x}"), deployment("{labels: {app: a}}"), false),
        ("the namespace is unknown", "", deployment("{labels: {app: a}}"), false),
        ("the namespace refuses", namespace("{istio-injection: disabled}"), deployment("{labels: {app: a}}"), true),
        (
            "the namespace refuses what pods ask for", namespace("{istio-injection: disabled}"),
            deployment("{labels: {app: a, sidecar.istio.io/inject: 'true'}}"), true
        ),
        ("the pods ask", namespace("{}"), deployment("{labels: {app: a, sidecar.istio.io/inject: 'true'}}"), false),
        (
            "the pods ask by annotation, which no webhook sees", namespace("{}"),
            deployment("{labels: {app: a}, annotations: {sidecar.istio.io/inject: 'true'}}"), true
        ),
        (
            "the pods refuse", namespace("{istio-injection: enabled}"),
            deployment("{labels: {app: a, sidecar.istio.io/inject: 'false'}}"), true
        ),
        (
            "the pods refuse by annotation", "",
            deployment("{labels: {app: a}, annotations: {sidecar.istio.io/inject: 'false'}}", kind: "StatefulSet"), true
        ),
        (
            "the pods share their node's network", namespace("{istio-injection: enabled}"),
            deployment("{labels: {app: a}}", kind: "DaemonSet", spec: "{hostNetwork: true}"), true
        ),
        (
            "the sidecar is written out", namespace("{}"),
            deployment("{labels: {app: a}}", spec: "{containers: [{name: a}, {name: istio-proxy}]}"), false
        ),
        (
            "the mesh needs none", namespace("{istio.io/dataplane-mode: ambient}"), deployment("{labels: {app: a}}"),
            false
        ),
        ("others are meant", namespace("{}"), deployment("{labels: {app: b}}"), false),
        ("the object is no workload", namespace("{}"), deployment("[1]"), false),
    ])
    func `a destination without a sidecar is told`(when: String, namespace: String, workload: String, isTold: Bool)
        throws
    {
        let found = try Self.findings(
            Self.gateway(),
            Self.selecting,
            namespace,
            workload,
            virtualService(hosts: "[x.com]", http: "[{\(Self.to)}]")
        )
        #expect(found.map(\.code) == (isTold ? [.destinationWithoutSidecar] : []), "\(when)")
        #expect(found.allSatisfy { $0.severity == .warning && $0.path == "spec.http[0].route" })
    }

    @Test func `two TLS servers with one name are told, since Envoy refuses both`() throws {
        func gateway(_ hosts: String) -> String {
            """
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: tls, namespace: default}
            spec:
              servers:
                - {port: {number: 443, name: a, protocol: HTTPS}, hosts: [a/x.com], tls: {mode: SIMPLE, credentialName: c}}
                - {port: {number: 443, name: b, protocol: HTTPS}, hosts: [\(hosts)], tls: {mode: SIMPLE, credentialName: d}}
            """
        }
        #expect(try Self.codes(gateway("b/x.com")) == [.refusedListener])
        #expect(try Self.codes(gateway("b/y.com")) == [])
        #expect(try Self.codes(gateway("a/x.com")) == [.skippedServer])
    }

    @Test(arguments: ConformanceTests.topicsByAdmission)
    func `valid objects of the conformance data give no error`(topic: String) throws {
        for entry in try ConformanceCase.topic(topic) {
            let resources = RouteResources(decoding: entry.objects)
            let (table, findings) = RouteTable.compile(resources, environment: entry.environment)
            let errors = (findings + RouteLint(resources, table: table).findings).filter { finding in
                finding.severity == .error && !entry.refused.contains(finding.object.description)
                    // What a route says is answered 500 deserves to be told.
                    && ![.missingReferenceGrant, .unknownService].contains(finding.code)
            }
            #expect(errors.isEmpty, "\(entry.name): \(errors)")
        }
    }
}
