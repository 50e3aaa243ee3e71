// Wingmirror · Apache-2.0

import Foundation
import JSONSyntax
import ResourceFiles
import RouteAttribution
import Testing

/// The objects in `samples`: what people begin with has to be valid, and has to route as its comments say.
@Suite struct SampleRoutesTests {
    @Test(arguments: ["istio", "istio-shop"])
    func `the objects are accepted without a finding`(folder: String) throws {
        let (table, findings) = try Self.compile(folder)
        #expect(!table.routes.isEmpty)
        #expect(findings == [])
    }

    @Test(arguments: [
        SampleRequest("GET", "shop.example.com", "/products/1", goesTo: "default/product-vs rule 0"),
        SampleRequest("GET", "any.name.at.all", "/productsale", goesTo: "default/product-vs rule 0"),
        SampleRequest("POST", "shop.example.com", "/orders", goesTo: "default/order-vs rule 0"),
        SampleRequest("GET", "shop.example.com", "/products/../orders/1", goesTo: "default/order-vs rule 0"),
        SampleRequest("GET", "shop.example.com", "/PRODUCTS/1", goesTo: "no_route"),
        SampleRequest("GET", "shop.example.com", "/", goesTo: "no_route"),
        SampleRequest("OPTIONS", "shop.example.com", "*", goesTo: "rejected"),
    ])
    func `the two rules of istio take their prefixes`(request: SampleRequest) throws {
        try Self.expect(request, in: "istio")
    }

    @Test(arguments: [
        SampleRequest("GET", "shop.example.com", "/health", goesTo: "shop/storefront rule 0 health"),
        SampleRequest("GET", "shop.example.com", "/catalogue/9", goesTo: "shop/storefront rule 1 catalogue-moved.old"),
        SampleRequest("GET", "shop.example.com", "/list.php", goesTo: "shop/storefront rule 1 catalogue-moved.older"),
        SampleRequest("GET", "shop.example.com", "/cart", goesTo: "shop/storefront rule 2 cart-everything"),
        SampleRequest("GET", "www.shop.example.com", "/cart/items/1", goesTo: "shop/storefront rule 2 cart-items"),
        SampleRequest(
            "GET",
            "shop.example.com",
            "/products/1",
            field: ("x-canary", "true"),
            goesTo: "shop/storefront rule 3 products-canary.field"
        ),
        SampleRequest(
            "GET",
            "shop.example.com",
            "/products/1",
            field: ("cookie", "session=1; canary=on"),
            goesTo: "shop/storefront rule 3 products-canary.cookie"
        ),
        SampleRequest("GET", "shop.example.com", "/products/1", goesTo: "shop/storefront rule 4 products"),
        SampleRequest("GET", "shop.example.com", "/products", goesTo: "shop/storefront rule 4 products"),
        SampleRequest("GET", "shop.example.com", "/productsale", goesTo: "shop/storefront rule 8 pages"),
        SampleRequest(
            "GET",
            "shop.example.com",
            "/img/12/small.jpg",
            goesTo: "shop/storefront rule 5 product-images"
        ),
        SampleRequest("GET", "shop.example.com", "/assets/a.css", goesTo: "shop/storefront rule 6 assets"),
        SampleRequest("POST", "shop.example.com", "/checkout", goesTo: "shop/storefront rule 7 checkout"),
        SampleRequest("GET", "shop.example.com", "/checkout", goesTo: "shop/storefront rule 8 pages"),
    ])
    func `the storefront prefers its rules in their order`(request: SampleRequest) throws {
        try Self.expect(request, in: "istio-shop")
    }

    @Test(arguments: [
        SampleRequest(
            "PUT",
            "api.shop.example.com",
            "/v1/orders",
            field: ("x-partner-key", "k"),
            goesTo: "shop/api rule 0 orders-partner"
        ),
        SampleRequest("GET", "api.shop.example.com", "/v1/orders", goesTo: "shop/api rule 1 orders-public"),
        SampleRequest("PUT", "api.shop.example.com", "/v1/orders", goesTo: "no_route"),
        SampleRequest(
            "GET",
            "api.shop.example.com",
            "/v1/orders",
            field: ("x-internal", "1"),
            goesTo: "no_route"
        ),
        SampleRequest("GET", "api.shop.example.com", "/v1/search?preview=1", goesTo: "shop/api rule 2 search-preview"),
        SampleRequest("GET", "api.shop.example.com", "/V1/Search", goesTo: "shop/api rule 3 search"),
        SampleRequest("GET", "api.shop.example.com", "/unknown", goesTo: "no_route"),
        SampleRequest("GET", "red.shop.example.com", "/unknown", goesTo: "shop/tenants rule 1 tenants"),
        SampleRequest("GET", "Red.shop.example.com:80", "/admin", goesTo: "shop/tenants rule 0 admin-moved"),
        SampleRequest("GET", "account.example.com", "/", goesTo: "https_redirect"),
        SampleRequest("GET", "elsewhere.example", "/", goesTo: "no_route"),
    ])
    func `each host of the shop is served by one object`(request: SampleRequest) throws {
        try Self.expect(request, in: "istio-shop")
    }

    private static func compile(_ folder: String) throws -> (table: RouteTable, findings: [RouteFinding]) {
        let samples = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../samples/\(folder)")
        let objects = try ResourceFileLoader().survey([samples.standardizedFileURL.path]).objects
        return RouteTable.compile(RouteResources(decoding: objects.map(\.value)), environment: RouteEnvironment())
    }

    private static func expect(_ request: SampleRequest, in folder: String) throws {
        let table = try compile(folder).table
        var scratch = RouteScratch()
        let decision = table.route(request.described, scratch: &scratch)
        #expect(describe(decision, of: table) == request.expectation)
    }

    private static func describe(_ decision: RouteDecision, of table: RouteTable) -> String {
        guard decision.outcome == .route else { return decision.outcome.rawValue }
        let route = table.routes[Int(decision.route)]
        let place = "\(route.identity.object.reference) rule \(route.identity.rule)"
        return route.routeName.isEmpty ? place : "\(place) \(route.routeName)"
    }
}

/// A request in plain text to the Gateway's port 80, and what becomes of it.
struct SampleRequest: Sendable, CustomTestStringConvertible {
    let method: String
    let authority: String
    let target: String
    let field: (name: String, value: String)?
    let expectation: String

    init(
        _ method: String,
        _ authority: String,
        _ target: String,
        field: (name: String, value: String)? = nil,
        goesTo expectation: String
    ) {
        self.method = method
        self.authority = authority
        self.target = target
        self.field = field
        self.expectation = expectation
    }

    var described: DescribedRequest {
        DescribedRequest(method: method, target: target, authority: authority, headers: field.map { [$0] } ?? [])
    }

    var testDescription: String {
        "\(method) \(authority)\(target)\(field.map { " with \($0.name)" } ?? "")"
    }
}
