// Wingmirror · Apache-2.0

import JSONSyntax
import ResourceFiles
import RouteAttribution
import Testing

/// Wrong requests, and the rule and change that are nearest.
@Suite struct NearestRuleTests {
    private static let gateways = """
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: gw, namespace: default}
        spec:
          servers:
          - {port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}
          - {port: {number: 8090, name: admin, protocol: HTTP}, hosts: ['*']}
          - {port: {number: 443, name: https, protocol: HTTPS}, hosts: [secure.example.com], tls: {mode: SIMPLE, credentialName: c}}
        """
    private static let to = "route: [{destination: {host: a}}]"

    private static func table() throws -> RouteTable {
        try compile(
            gateways,
            virtualService(
                "shop",
                hosts: "[shop.example.com]",
                http: """
                    [{match: [{port: 80, uri: {prefix: /products}}], \(to)}, {match: [{port: 80, uri: {exact: /cart/items}}], \(to)},
                     {match: [{port: 80, uri: {prefix: /orders/}, method: {exact: POST}}], \(to)},
                     {match: [{port: 80, uri: {exact: /beta}, headers: {x-group: {exact: beta}}}], \(to)},
                     {match: [{port: 80, uri: {exact: /search}, queryParams: {q: {exact: all}}}], \(to)},
                     {match: [{port: 80, uri: {exact: /plain}, withoutHeaders: {x-debug: {}}}], \(to)},
                     {match: [{port: 80, uri: {exact: /either}, method: {regex: 'PUT|PATCH'}}], \(to)},
                     {match: [{port: 80, uri: {exact: /any}, headers: {x-any: {}}}], \(to)},
                     {match: [{port: 8090, uri: {prefix: /admin}}], \(to)}]
                    """
            ),
            virtualService(
                "secure",
                hosts: "[secure.example.com]",
                http: "[{match: [{port: 443, uri: {prefix: /pay}}], \(to)}]"
            ),
            virtualService("wild", hosts: "['*.apps.example.com']", http: "[{match: [{uri: {exact: /Health}}], \(to)}]")
        ).table
    }

    /// A wrong request: target, rule that should be named, and words of the change.
    struct Row: CustomTestStringConvertible, Sendable {
        var target: String
        var rule: Int
        var change: String
        var method = "GET"
        var host: String? = "shop.example.com"
        var headers: [[String]] = []
        var isTLS = false
        var port = 80
        var object = "default/shop"

        var testDescription: String { "\(method) \(host ?? "") \(target)" }
    }

    static let rows: [Row] = [
        // Typing errors in the path.
        Row(target: "/product", rule: 0, change: "the path began with /products instead of /product"),
        Row(target: "/prodcuts/7", rule: 0, change: "the path began with /products instead of /prodcuts"),
        Row(target: "/roducts", rule: 0, change: "the path began with /products instead of /roducts"),
        Row(target: "/Products/1", rule: 0, change: "the path were in lower case"),
        Row(target: "/PRODUCTS", rule: 0, change: "the path were in lower case"),
        Row(target: "/cart/item", rule: 1, change: "the path were /cart/items instead of /cart/item"),
        Row(target: "/cart/itmes", rule: 1, change: "the path were /cart/items instead of /cart/itmes"),
        Row(target: "/carts/items", rule: 1, change: "the path were /cart/items instead of /carts/items"),
        Row(target: "/cart/Items", rule: 1, change: "the path were in lower case"),
        // Slashes.
        Row(target: "/cart/items/", rule: 1, change: "the path had no slash at its end"),
        Row(target: "/beta/", rule: 3, change: "the path had no slash at its end", headers: [["x-group", "beta"]]),
        Row(target: "/orders", rule: 2, change: "the path had a slash at its end", method: "POST"),
        Row(target: "/cart//items", rule: 1, change: "the path had single slashes"),
        // Methods.
        Row(target: "/orders/1", rule: 2, change: "the method were POST instead of GET"),
        Row(target: "/orders/1", rule: 2, change: "the method were POST instead of DELETE", method: "DELETE"),
        Row(target: "/either", rule: 6, change: "the method were PUT instead of GET"),
        Row(target: "/orders/1", rule: 2, change: "the method were POST instead of PATCH", method: "PATCH"),
        // Headers and parameters.
        Row(target: "/beta", rule: 3, change: "it had the header x-group: beta"),
        Row(target: "/beta", rule: 3, change: "it had the header x-group: beta", headers: [["X-Group", "Beta"]]),
        Row(target: "/any", rule: 7, change: "it had the header x-any: 1"),
        Row(target: "/plain", rule: 5, change: "it had no header x-debug", headers: [["x-debug", "1"]]),
        Row(target: "/search", rule: 4, change: "the query had q=all"),
        Row(target: "/search?q=none&page=2", rule: 4, change: "the query had q=all"),
        // Hosts.
        Row(target: "/products", rule: 0, change: "the host were shop.example.com", host: "shpo.example.com"),
        Row(target: "/products", rule: 0, change: "the host were shop.example.com", host: "shop.example.org"),
        Row(target: "/products", rule: 0, change: "the host were shop.example.com", host: "www.shop.example.com"),
        Row(
            target: "/Health",
            rule: 0,
            change: "the host were one.apps.example.com",
            host: "one.aps.example.com",
            object: "default/wild"
        ),
        // Ports and schemes.
        Row(target: "/admin/x", rule: 8, change: "it were sent to port 8090 instead of 80"),
        Row(target: "/products", rule: 0, change: "it were sent to port 80 instead of 8090", port: 8090),
        Row(target: "/products", rule: 0, change: "it were sent to port 80 instead of 31380", port: 31380),
        Row(
            target: "/pay/1",
            rule: 0,
            change: "it were sent as https to port 443",
            host: "secure.example.com",
            object: "default/secure"
        ),
    ]

    @Test(arguments: rows)
    func `a wrong request has the rule and the change that its author would name`(row: Row) throws {
        let table = try Self.table()
        let explanation = table.explain(
            row.target,
            method: row.method,
            authority: row.host,
            headers: row.headers.map { (name: $0[0], value: $0[1]) },
            isTLS: row.isTLS,
            port: row.port
        )
        #expect([.noRoute, .noListener].contains(explanation.decision.outcome))
        let nearest = try #require(explanation.nearest)
        let route = table.routes[nearest.route]
        #expect(route.identity.object.reference == row.object, "\(nearest.text)")
        #expect(route.identity.rule == row.rule, "\(nearest.text)")
        #expect(nearest.text.contains(row.change), "\(nearest.text)")
    }

    @Test func `where the port is a pod's, the rule that is near is one of the server behind it`() throws {
        // Pod port 8080 is that of server 80; server 8080 has another.
        let gateway = """
            apiVersion: networking.istio.io/v1
            kind: Gateway
            metadata: {name: gw, namespace: default}
            spec:
              servers:
              - {port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}
              - {port: {number: 8080, name: alt, protocol: HTTP}, hosts: ['*']}
            """
        let service = """
            apiVersion: v1
            kind: Service
            metadata: {name: ingress, namespace: istio-system}
            spec:
              selector: {istio: ingressgateway}
              ports: [{name: http, port: 80, targetPort: 8080}, {name: alt, port: 8080, targetPort: 9090}]
            """
        let rules = "[{match: [{port: 80, uri: {exact: /cart/items}}], \(Self.to)}]"
        let table = try compile(gateway, service, virtualService(http: rules)).table
        var scratch = RouteScratch()
        let request = DescribedRequest(
            method: "GET",
            target: "/cart/items/",
            authority: "shop.example.com",
            port: 8080,
            isPodPort: true
        )
        let explanation = table.explain(request, scratch: &scratch)
        #expect(explanation.decision.outcome == .noRoute)
        #expect(explanation.nearest?.text.contains("the path had no slash at its end") == true)
    }

    @Test func `nothing near is named for a request that resembles no rule`() throws {
        let explanation = try Self.table().explain("/completely/other/place", authority: "nowhere.test")
        #expect(explanation.decision.outcome == .noRoute)
        #expect(explanation.nearest == nil)
    }

    @Test func `every claim holds when the change is made`() throws {
        var claims = 0
        for entry in try ConformanceCase.random() {
            let (table, _) = entry.table(envoyMinor: 40)
            var scratch = RouteScratch()
            for value in entry.requests {
                let explanation = table.explain(try DescribedRequest(value), scratch: &scratch)
                guard let nearest = explanation.nearest else { continue }
                claims += 1
                let decision = table.route(nearest.request, scratch: &scratch)
                #expect(decision.outcome == .route, "\(entry.name): \(nearest.text)")
                #expect(Int(decision.route) == nearest.route, "\(entry.name): \(nearest.text)")
            }
        }
        #expect(claims > 100)
    }
}
