// Wingmirror · Apache-2.0

import ArgumentParser
import Foundation
import RouteAttribution
import TestSupport
import Testing

@testable import Agent
@testable import AgentCommands
@testable import AgentConfiguration

/// Situations people were in (`Fixtures/routes`): what `routes check` and `routes explain` must say of each.
@Suite struct RouteCaseTests {
    /// One command on one folder, with texts that its output has and texts that it has not.
    struct Row: CustomTestStringConvertible, Sendable {
        var folder: String
        var arguments: [String]
        var has: [String]
        var lacks: [String] = []

        init(_ folder: String, _ arguments: [String], has: [String], lacks: [String] = []) {
            self.folder = folder
            self.arguments = arguments
            self.has = has
            self.lacks = lacks
        }

        var testDescription: String { "\(folder): \(arguments.joined(separator: " "))" }
    }

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/routes")

    /// What a command prints, errors of usage included.
    static func output(_ folder: String, _ arguments: [String]) throws -> String {
        let base = Self.folder.appending(path: folder).path()
        let words = arguments.map { word in
            ["objects.yaml", "aged.yaml"].contains(word) || word.hasPrefix("repo") ? "\(base)/\(word)" : word
        }
        switch try Wingmirror.parseAsRoot(["routes"] + words) {
        case let command as RoutesCheckCommand:
            var configuration = try command.shared.configuration()
            configuration.routes.files = command.shared.routes + command.paths
            let objects = try RouteObjects(configuration, namesServerPorts: false, for: .person)
            let check = RouteCheck(objects)
            let report = FindingReport(check.findings)
            return (check.notices + report.lines(TerminalStyle(isColoured: false, width: 200))).joined(separator: "\n")
        case let command as RoutesExplainCommand:
            let plan = try ExplainPlan(command)
            guard case .request(let request, let text) = plan.source else { return "" }
            let objects = try RouteObjects(plan.configuration, namesServerPorts: true, for: .person)
            do throws(CommandFailure) {
                try objects.requireWorkload()
            } catch {
                return error.lines.joined(separator: "\n")
            }
            var scratch = RouteScratch()
            let explanation = objects.table.explain(request, scratch: &scratch)
            return ExplanationReport(explanation, request, of: objects.table, title: text).lines.joined(separator: "\n")
        default: return ""
        }
    }

    @Test(arguments: [
        (["http://shop.example.com/products/7"], "listener    server port 80, pod port 8080, plain HTTP"),
        (["http://shop.example.com:8080/products/7"], "listener    pod port 8080, which is server port 80, plain HTTP"),
        (
            ["http://shop.example.com/products/7", "--port", "8080"],
            "no Gateway server has port 8080 (there is 80); 8080 is the pod's port of server port 80: add --port 80"
        ),
        (
            ["http://shop.example.com/products/7", "--port", "81"],
            "no Gateway server has port 81 (there is 80); if this is"
        ),
    ])
    func `a pod's port is not shown as that of a server, and is none where a server's is named`(
        request: [String],
        sentence: String
    ) throws {
        let words = ["explain"] + request + ["--routes", "\(Repository.path)/samples/istio"]
        let output = try Self.output("", words)
        #expect(output.contains(sentence))
        #expect(output.contains("  route  ") != request.contains("--port"))
    }

    private static let check = ["check", "objects.yaml"]

    private static func explain(_ words: String...) -> [String] { ["explain"] + words + ["--routes", "objects.yaml"] }

    private static let good = "0 errors, 0 warnings"

    static let decisions: [Row] = [
        Row("gateway-api-gateways-merged", check, has: ["2 workloads", "0 errors, 0 warnings"], lacks: ["shadowed"]),
        Row(
            "gateway-api-gateways-merged",
            explain("GET", "http://app.example.com/"),
            has: ["gateway-name=public --gateway-namespace edge", "gateway-name=internal --gateway-namespace edge"]
        ),
        Row(
            "gateway-api-gateways-merged",
            explain(
                "GET",
                "http://app.example.com/",
                "--gateway-selector",
                "gateway.networking.k8s.io/gateway-name=public"
            )
                + ["--gateway-namespace", "edge"],
            has: ["HTTPRoute app/web rule 0", "web.app.svc.cluster.local:80"],
            lacks: ["admin"]
        ),
        Row("httproute-services-elsewhere", check, has: [good]),
        Row(
            "httproute-services-elsewhere",
            explain("GET", "http://app.example.com/"),
            has: ["web.app.svc.cluster.local:80 100 %"],
            lacks: ["500"]
        ),
        Row("ingress-tls-hosts", check, has: [good], lacks: ["skipped"]),
        Row("ingress-tls-hosts", explain("GET", "https://b.example.com/"), has: ["Ingress app/b rule 0 match 0"]),
        Row(
            "ingress-tls-hosts",
            explain("GET", "https://other.example.com/"),
            has: ["(no_listener)", "handshake fails"]
        ),
        Row(
            "overlay-replaces-base",
            ["check", "repo"],
            has: [
                "kustomize-patch", "repo/base/shop.yaml:1", "repo/overlays/prod/hosts.yaml:1", "0 errors, 1 warning",
            ],
            lacks: ["refused-object"]
        ),
        Row(
            "overlay-replaces-base",
            ["explain", "GET", "http://shop.example.com/", "--routes", "repo"],
            has: ["VirtualService shop/shop rule 0"]
        ),
        Row(
            "overlay-replaces-base",
            ["check", "repo2"],
            has: [
                "duplicate-object", "repo2/dev/shop.yaml:9", "repo2/prod/shop.yaml:1", "the second counts", "1 error",
            ]
        ),
        Row(
            "overlay-replaces-base",
            ["explain", "GET", "http://shop.example.com/", "--routes", "repo2"],
            has: ["404"]
        ),
        Row(
            "explain-host-header-and-url",
            explain("GET", "https://b.example.com/", "-H", "Host: a.example.com"),
            has: ["404", "TLS for b.example.com", "for the TLS name a.example.com"]
        ),
        Row(
            "explain-host-header-and-url",
            explain("GET", "http://10.0.0.1:8090/", "-H", "Host: a.example.com"),
            has: ["admin.app.svc.cluster.local:80"]
        ),
        Row(
            "explain-host-header-and-url",
            explain("GET", "http://10.0.0.1/", "-H", "Host: a.example.com:8090"),
            has: ["web.app.svc.cluster.local:80", "only for server port 8090"]
        ),
        Row("https-redirect-false", check, has: [good], lacks: ["refused"]),
        Row("https-redirect-false", explain("GET", "http://shop.example.com/"), has: ["web.shop.svc.cluster.local:80"]),
        Row(
            "yaml-merge-key",
            explain("GET", "http://shop.example.com/v2"),
            has: ["route       VirtualService shop/shop rule 2"]
        ),
        Row(
            "ingress-before-virtualservice",
            check,
            has: ["VirtualService app/api spec.http[0].match[0]", "Ingress app/legacy"],
            lacks: ["creationTimestamp"]
        ),
        Row(
            "ingress-before-virtualservice",
            explain("GET", "http://app.example.com/"),
            has: ["Ingress app/legacy rule 0"]
        ),
        Row("grpcroute-and-listenerset-ignored", check, has: ["ListenerSet app/team", "allowedListeners"]),
        Row(
            "grpcroute-and-listenerset-ignored",
            explain("POST", "http://grpc.example.com/shop.Orders/Get"),
            has: ["GRPCRoute app/orders rule 0 match 0", "orders.app.svc.cluster.local:50051"]
        ),
        Row(
            "ingress-prefix-slash-rank",
            explain("GET", "http://a.example.com/shop"),
            has: ["Ingress app/a rule 0 match 1"]
        ),
        Row(
            "backendref-filter",
            check,
            has: ["refused-object", "URLRewrite", "spec.rules[0].backendRefs[0].filters", "1 error"]
        ),
        Row(
            "backendref-filter",
            explain("GET", "http://app.example.com/"),
            has: ["404", "HTTPRoute app/web", "refused"]
        ),
        Row("two-certificate-sources", check, has: ["refused-object", "one source of certificates"]),
        Row("order-without-timestamps", check, has: ["shadowed-route", "creationTimestamp", "by name"]),
        Row(
            "order-without-timestamps",
            explain("GET", "http://shop.example.com/"),
            has: ["uncertain", "VirtualService shop/beta rule 0", "creationTimestamp"]
        ),
        Row(
            "order-without-timestamps",
            ["explain", "GET", "http://shop.example.com/", "--routes", "aged.yaml"],
            has: ["VirtualService shop/beta rule 0"],
            lacks: ["uncertain"]
        ),
    ]

    @Test(arguments: decisions)
    func `the decision is Istio's, and what it rests on is said`(row: Row) throws { try expect(row) }

    static let repositories: [Row] = [
        Row(
            "folder-refused-for-one-file",
            ["check", "repo"],
            has: [
                "passed over 6 files", "1 kustomization", "1 patch", "2 chart files", "1 template", "helm template",
                good,
            ]
        ),
        Row(
            "folder-refused-for-one-file",
            ["explain", "GET", "http://shop.example.com/", "--routes", "repo"],
            has: ["VirtualService shop/shop rule 0"]
        ),
        Row("gateway-workload-guessed", check, has: ["istio=ingress", "istio-ingress", "only ones", good]),
        Row(
            "gateway-workload-guessed",
            explain("GET", "http://shop.example.com/"),
            has: ["VirtualService shop/shop rule 0"]
        ),
        Row(
            "gateway-workload-guessed",
            check + ["--gateway-selector", "istio=ingressgateway"],
            has: [
                "objects.yaml: no Gateway selects pods with istio=ingressgateway in istio-system", "assumed-workload",
                "--gateway-selector",
            ]
        ),
        Row("objects-without-namespace", check, has: ["--namespace", "default"]),
        Row(
            "objects-without-namespace",
            check + ["--namespace", "shop"],
            has: [good, "0 errors"],
            lacks: ["unknown-service"]
        ),
        Row(
            "objects-without-namespace",
            explain("GET", "http://shop.example.com/", "--namespace", "shop"),
            has: ["VirtualService shop/shop rule 0"]
        ),
        Row("anchors-beside-placeholders", check, has: ["no route objects", good], lacks: ["aliases"]),
    ]

    @Test(arguments: repositories)
    func `a repository gets an answer`(row: Row) throws { try expect(row) }

    static let causes: [Row] = [
        Row(
            "explain-404-names-nobody",
            explain("GET", "http://one.example.com/"),
            has: [
                "VirtualService a/no-gateway has this host",
                "Gateway a/edge is not among the objects (istio-system/edge is)",
            ]
        ),
        Row(
            "explain-404-names-nobody",
            explain("GET", "http://two.example.com/"),
            has: ["VirtualService b/mesh-only has this host, but names no gateway, so it applies to the mesh only"]
        ),
        Row(
            "explain-404-names-nobody",
            explain("GET", "http://three.example.com/"),
            has: ["VirtualService c/hidden has this host", "hides it from istio-system"]
        ),
        Row(
            "explain-404-names-nobody",
            explain("GET", "http://four.example.com/"),
            has: ["VirtualService d/port has this host, but is refused: spec.hosts[0]"]
        ),
        Row(
            "misspelled-fields",
            check,
            has: [
                "spec.http[0].match[0].url is no field of a VirtualService", "did you mean uri?",
                "did you mean timeout?",
                "spec.http[1].matches", "did you mean match?", "spec.gateway", "did you mean gateways?",
            ]
        ),
        Row("no-gateways-field", check, has: ["mesh-only", "shop.example.com"]),
        Row("no-gateways-field", explain("GET", "http://shop.example.com/"), has: ["names no gateway"]),
        Row(
            "httproute-unattached-why",
            check,
            has: [
                "listener http of infra/edge admits routes of namespace infra only (allowedRoutes.namespaces.from defaults "
                    + "to Same)",
                "infra/edge has no listener https (it has http)", "no listener on port 443 (it has 80)",
                "three.example.com does not overlap *.apps.example.com",
                "there is no Gateway infra/egde among the objects (infra/edge is there)",
                "note [unattached-route] HTTPRoute infra/class", "of class nginx, which Istio does not serve",
                "5 warnings",
            ]
        ),
        Row(
            "findings-without-file",
            ["check", "repo"],
            has: ["repo/b/one.yaml:1: error [refused-object] VirtualService shop/shop", "1 error,"],
            lacks: ["Object ?"]
        ),
        Row(
            "shared-certificate-sni",
            check,
            has: ["shared-certificate", "Gateway istio-system/edge2", "a.example.com", "b.example.com"]
        ),
        Row(
            "shared-certificate-sni",
            explain("GET", "https://a.example.com/", "--sni", "b.example.com"),
            has: [
                "istio-system/edge serves it for the TLS name a.example.com; the connection for b.example.com only reaches "
                    + "istio-system/edge2"
            ]
        ),
        Row(
            "tls-rules-where-tls-ends",
            check,
            has: ["wrong-tls-mode", "its tls rules have no effect", "istio-system/edge servers[0], SIMPLE"]
        ),
        Row("tls-rules-where-tls-ends", explain("GET", "https://book.example.com/"), has: ["tls rules have no effect"]),
        Row(
            "passed-through-or-nobody",
            explain("GET", "https://shop.example.com/"),
            has: ["VirtualService shop/shop tls rule 0", "web.shop.svc.cluster.local:443", "no_listener"]
        ),
        Row(
            "passed-through-or-nobody",
            explain("GET", "https://other.example.com/"),
            has: ["passes TLS through", "no tls rule", "closed"]
        ),
        Row(
            "passed-through-or-nobody",
            explain("GET", "https://shop.example.org/"),
            has: ["no server on port 443 has the TLS name shop.example.org"]
        ),
        Row(
            "passed-through-or-nobody",
            explain("--sni", "shop.example.com"),
            has: ["VirtualService shop/shop tls rule 0"]
        ),
        Row("passed-through-or-nobody", check, has: ["http rules have no effect", "PASSTHROUGH"]),
        Row("subset-without-services", check, has: ["unknown-subset", "v3", "v1, v2"]),
        Row("subset-without-services", explain("GET", "http://shop.example.com/"), has: ["v3", "503"]),
        Row(
            "rules-not-in-the-table",
            check,
            has: [
                "sourceLabels app=web", "spec.http[1].match[0]", "8443", "spec.http[2].match[0]", "istio-system/egde",
                "sourceNamespace shop", "4 warnings",
            ]
        ),
        Row(
            "rules-not-in-the-table",
            explain("GET", "http://shop.example.com/a"),
            has: [
                "not         VirtualService shop/shop rule 2 match 0: only for Gateway istio-system/egde",
                "route       VirtualService shop/shop rule 4",
            ]
        ),
        Row(
            "httproute-regex-cut",
            check,
            has: [
                "[unreachable-after-catch-all] HTTPRoute app/re spec.rules[0].matches[0]",
                "[unreachable-after-catch-all] HTTPRoute app/twin spec.rules[0]",
            ]
        ),
        Row(
            "httproute-regex-cut",
            explain("GET", "http://re.example.com/v1/a"),
            has: ["HTTPRoute app/re rule 0 match 0: cut off", "route       HTTPRoute app/re rule 1 match 0"]
        ),
        Row("rewrite-double-slash", check, has: ["odd-rewrite", "/common/x becomes //x", "/foo becomes /pathfoo"]),
        Row(
            "rewrite-double-slash",
            explain("GET", "http://shop.example.com/common/api"),
            has: ["/common/api becomes //api"]
        ),
        Row("rewrite-double-slash", explain("GET", "http://shop.example.com/foo"), has: ["/foo becomes /pathfoo"]),
        Row(
            "glob-in-prefix",
            check,
            has: [
                "* stands for itself in /api/*", "* stands for itself in /docs*", "match[0].uri.regex",
                "match[1].uri.regex",
                "JavaScript", "ignoreUriCase has no effect on a regex",
            ]
        ),
        Row("preflight-not-taken", check, has: ["preflight-not-taken", "OPTIONS"]),
        Row("redirect-behind-load-balancer", check, has: ["redirect-leads-nowhere", "shop.example.com"]),
        Row(
            "redirect-behind-load-balancer",
            explain("GET", "http://shop.example.com/", "-H", "X-Forwarded-Proto: https"),
            has: ["301 to https", "X-Forwarded-Proto is set anew", "gateway.trustedProxies"]
        ),
        Row(
            "ingress-silent-or-misnamed",
            check,
            has: [
                "foreign-ingress", "there is no IngressClass istio", "Service app/b is not among the objects",
                "0 errors",
                "1 warning",
            ]
        ),
        Row(
            "ingress-silent-or-misnamed",
            explain("GET", "http://a.example.com/"),
            has: ["there is no IngressClass istio"]
        ),
        Row(
            "port-of-the-url",
            explain("GET", "http://shop.example.com:31380/"),
            has: ["no Gateway server has port 31380 (there is 80)", "add --port 80"]
        ),
        Row(
            "delegate-with-hosts",
            check,
            has: ["VirtualService demo/web has hosts, so it cannot be a delegate"],
            lacks: ["no delegate VirtualService"]
        ),
        Row("short-host-for-the-mesh", check, has: [good], lacks: ["short-host"]),
        Row(
            "wrong-field-paths",
            check,
            has: ["spec.listeners[0]", "edge listeners[1]", "HTTPRoute app/two spec.rules[0].matches[0]"],
            lacks: ["spec.http", "spec.servers"]
        ),
        Row(
            "skipped-server-by-whom",
            check,
            has: [
                "spec.servers[0]: the server (port 80)", "Gateway istio-system/edge servers[0]",
                "has tls and the host *",
            ],
            lacks: ["8080"]
        ),
        Row("httproute-metadata-and-port", check, has: ["unknown-port", "no port 8080"]),
        Row(
            "httproute-metadata-and-port",
            explain("GET", "http://app.example.com/old/a"),
            has: ["/old/a becomes /new/a", "authority new.example.com", "retries     5"],
            lacks: ["timeout     0s"]
        ),
    ]

    @Test(arguments: causes)
    func `the cause is told`(row: Row) throws { try expect(row) }

    private func expect(_ row: Row) throws {
        let output = try Self.output(row.folder, row.arguments)
        for text in row.has { #expect(output.contains(text), "lacks \"\(text)\":\n\(output)") }
        for text in row.lacks { #expect(!output.contains(text), "has \"\(text)\":\n\(output)") }
    }

    @Test func `every folder has a row`() throws {
        let rows = Self.decisions + Self.repositories + Self.causes
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path())
        #expect(Set(rows.map(\.folder)) == Set(folders.filter { !$0.hasSuffix(".md") }))
    }

    @Test func `a skipped server is one finding`() throws {
        let output = try Self.output("skipped-server-by-whom", Self.check)
        #expect(output.split(separator: "\n").count { $0.contains("[skipped-server]") } == 1)
    }

    @Test func `names of objects cannot command a terminal or forge a line`() throws {
        let folder = try TemporaryFolder()
        let objects = """
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: g, namespace: n}
            spec:
              selector: {istio: ingressgateway}
              servers: [{port: {number: 80, name: h, protocol: HTTP}, hosts: ["*"]}]
            ---
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: "v\\e[31m\\nforged", namespace: n}
            spec:
              hosts: ["*"]
              gateways: [g]
              http:
              - match: [{uri: {exact: "/a\\e[2J"}}]
                route: [{destination: {host: a}}]
              - route: [{destination: {host: b}}]
            ---
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: "w\\e[31m\\nforged", namespace: n}
            spec: {hosts: ["*"], gateways: [g], http: [{route: [{destination: {host: "c\\e[2J"}}]}]}
            """
        let file = try folder.write(objects, to: "routes.yaml")
        for arguments in [["check", file], ["explain", "http://a/", "--routes", file]] {
            let text = try Self.output("", arguments)
            #expect(text.contains("31m"), "the names are in what is said")
            #expect(!text.unicodeScalars.contains { $0.properties.generalCategory == .control && $0 != "\n" })
            #expect(!text.contains("\nforged"))
        }
    }

    @Test func `SARIF says where a finding is`() throws {
        var configuration = Configuration()
        configuration.routes.files = [Self.folder.appending(path: "findings-without-file/repo").path()]
        let objects = try RouteObjects(configuration, namesServerPorts: false, for: .person)
        let text = String(decoding: FindingReport(RouteCheck(objects).findings).sarif, as: UTF8.self)
        #expect(text.contains("physicalLocation"))
        #expect(text.contains("findings-without-file/repo/b/one.yaml"))
        #expect(text.contains("\"startLine\":1"))
    }
}
