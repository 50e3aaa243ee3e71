// Wingmirror · Apache-2.0

import Testing
import TrafficModel

@testable import ShadowTesting

@Suite struct EligibilityTests {
    private func reason(
        _ request: RecordedRequest,
        _ change: (inout MirrorPolicy) -> Void = { _ in }
    ) throws -> FilterReason? {
        var driver = try PlanDriver(.everything("p", change))
        return driver.reason(against: request)
    }

    // MARK: - Methods

    @Test(arguments: [
        ("GET", FilterReason?.none), ("HEAD", nil), ("OPTIONS", nil), ("POST", .method), ("PUT", .method),
        ("PATCH", .method), ("DELETE", .method), ("TRACE", .method), ("CONNECT", .method), ("PROPFIND", .method),
        ("get", .method), ("GETX", .method), ("", .method),
    ])
    func `safe methods only`(method: String, expected: FilterReason?) throws {
        #expect(try reason(.client(method)) == expected)
    }

    @Test func `a policy may name further methods`() throws {
        #expect(try reason(.client("POST")) { $0.methods = ["POST"] } == nil)
        #expect(try reason(.client("PUT")) { $0.methods = ["POST"] } == .method)
        #expect(try reason(.client("post")) { $0.methods = ["POST"] } == .method)
    }

    @Test(arguments: [
        ("X-HTTP-Method-Override", "DELETE"), ("x-http-method-override", ""), ("X-Method-Override", "PUT"),
        ("X-HTTP-Method", "MERGE"), ("X-Http-Method", "GETX"),
    ])
    func `a field that names another method filters the request`(name: String, value: String) throws {
        #expect(try reason(.client("GET", "/", [(name, value)])) == .methodOverride)
        #expect(
            try reason(.client("POST", "/", [(name, value)])) { $0.methods = ["POST", "DELETE"] } == .methodOverride
        )
    }

    @Test func `a field that names the same method does not`() throws {
        #expect(try reason(.client("GET", "/", [("X-HTTP-Method-Override", "get")])) == nil)
        let request = RecordedRequest.client("GET", "/", [("X-Method-Override", "GET"), ("X-Method-Override", "PUT")])
        #expect(try reason(request) == .methodOverride)
    }

    @Test(
        arguments: [
            ("/a?_method=DELETE", FilterReason.methodOverride), ("/a?x=1&_method=put", .methodOverride),
            ("/a?%5Fmethod=DELETE", .methodOverride), ("/a?_METHOD=DELETE", .methodOverride),
            ("/a?x=1;_method=DELETE", .methodOverride), ("/a?_method", .methodOverride),
            ("/a?_method=GET&_method=DELETE", .methodOverride), ("/a?x-http-method-override=PUT", .methodOverride),
            ("/a?$httpMethod=DELETE", .methodOverride), ("/a?_method=GE%54", nil), ("/a?_method=GET", nil),
            ("/a?my_method=DELETE", nil), ("/a?_methods=DELETE", nil),
        ] as [(String, FilterReason?)]
    )
    func `a parameter can name another method`(target: String, expected: FilterReason?) throws {
        #expect(try reason(.client("GET", target)) == expected)
    }

    // MARK: - GraphQL

    @Test(arguments: [
        "/graphql?query={a}", "/graphql", "/graphql?", "/graphql?query=query+Q{a}&operationName=Q",
        "/graphql?variables={}&query=%7Ba%7D", "/x?query=mutation", "/graphqlx?query=mutation{a}",
    ])
    func `documents that read are mirrored`(target: String) throws {
        #expect(try reason(.client("GET", target)) == nil)
    }

    @Test(arguments: [
        "/graphql?query=mutation{a}", "/graphql?query=%6dutation{a}", "/graphql?%71uery=mutation{a}",
        "/GraphQL?query=%6D%75%74%61%74%69%6F%6E%20%7Ba%7D", "/api/graphql/?query=query+A{a}+mutation+B{b}",
        "/gql?query=mutation{a}", "/graph%71l?query=mutation{a}", "/v1/graphql/tenant?query=mutation{a}",
        "/graphql?query={a}&query=mutation{b}", "/graphql?query=subscription{a}",
        "/graphql?query=%7Ba%7", "/graphql?query=%256dutation{a}", "/graphql?query=", "/graphql?query",
        "/graphql?extensions={%22persistedQuery%22:{}}", "/graphql?id=5", "/graphql?x=1;query=mutation{a}",
        "http://h/graphql?query=mutation{a}",
    ])
    func `documents that write, or cannot be read, are not`(target: String) throws {
        #expect(try reason(.client("GET", target)) == .methodOverride)
        #expect(try reason(.client("HEAD", target)) == .methodOverride)
    }

    // MARK: - Paths

    @Test(arguments: [
        "/logout", "/user/Logout", "/log-out", "/sign_out", "/signout.php", "/logout;jsessionid=1", "/logout/",
        "/logout/now",
        "/%6Cogout", "/a%2Flogout", "/a\\logout", "//logout", "/./logout", "/newsletter/unsubscribe", "/opt-out",
        "/password/reset", "/password/reset/abc", "/reset-password/abc", "/resetPassword", "/verify-email",
        "/verify_email",
        "/oauth/authorize", "/oauth2/callback", "/login/oauth2/code/github", "/auth/callback", "/saml/acs",
        "/signin-oidc",
        "/invitations/accept", "/items/5/delete", "/orders/7/cancel", "/cart/add", "/cart/add/17", "/add-to-cart",
        "/orders/7/approve",
        "/webhooks/stripe", "/webhook", "/connect/endsession",
        "/orders/cancelOrder", "/cancel-order/7", "/cart/addItem", "/removeItem/3", "/api/deleteUser?id=7",
        "/users/bulk-delete", "/users/delete_all", "/actuator/shutdown", "/session/end",
        "/j_spring_security_logout", "/cancel%4Frder",
        "/?add-to-cart=17", "/?wc-ajax=add_to_cart", "/index.php?action=logout", "/?do=delete&id=3",
        "/posts/3?delete=true", "/x?method=DELETE", "/rpc?method=deleteUser", "/soap?op=Delete", "/?a=1&logout",
        "/cart/?remove_item=5f", "/x?a%63tion=log%6Fut", "/?cmd=bulk_delete", "/cart?action=add",
        "/shop/cart/?do=Update&id=3",
        "/basket?add=17", "/cart.php?op=clear",
        "/a/../b", "/a/%2e%2E/b", "/..", "http://h/logout",
    ])
    func `paths that change something by being read are denied`(target: String) throws {
        #expect(try reason(.client("GET", target)) == .path)
    }

    @Test(arguments: [
        "/", "/cart", "/cart/17", "/add", "/orders/7", "/cancelled", "/products/logout-button.svg",
        "/blog/how-to-logout-safely", "/passwords", "/password", "/reset", "/a..b",
        "/orders/cancelled", "/additional", "/delivery", "/blog/how-to-cancel-an-order", "/icons/delete-icon.svg",
        "/static/cancelButton.js", "/deleted-items", "/canceledOrders", "/products/paint-remover", "/session/list",
        "/?callback=f", "/?cancel_url=/a", "/search?q=delete", "/?action=list", "/?action=view&do=deleted",
        "/?method=post", "/?op=removed", "/cart?action=view", "/list?action=add", "/?add=3", "/cart/17?action=add",
        "/?method=getDeletedUsers", "/?sort=add-to-cart", "/?verify=1",
        "/...",
        "/healthz", "/products?next=/logout", "/hooked", "/", "http://logout.example.com/", "/%", "/%zz", "/%2",
    ])
    func `paths that only look alike are not`(target: String) throws {
        #expect(try reason(.client("GET", target)) == nil)
    }

    @Test func `words with an extension are words, names that hold one are not`() throws {
        #expect(try reason(.client("GET", "/logout.svg")) == .path)
        #expect(try reason(.client("GET", "/logout-button")) == nil)
    }

    @Test(arguments: [
        ("/admin", true), ("/admin/", true), ("/admin/x?y", true), ("/ADMIN/x", true), ("/%61dmin", true),
        ("//admin", true),
        ("/admin;x=1/y", true), ("/./admin", true), ("/administrator", false), ("/x/admin", false),
        ("/api/v1/private", true),
        ("/api/v1", false), ("/api/v1/private.json", false),
    ])
    func `a policy's own prefixes are of whole segments`(target: String, isDenied: Bool) throws {
        let reason = try reason(.client("GET", target)) { $0.deniedPaths = ["/admin", "/api/v1/private/"] }
        #expect(reason == (isDenied ? .path : nil))
    }

    @Test func `a prefix denies for its own policy only`() throws {
        var driver = try PlanDriver([.everything("a") { $0.deniedPaths = ["/x"] }, .everything("b")])
        #expect(driver.decide(.client("GET", "/x/y")).policies == 2)
        var all = try PlanDriver([.everything("a"), .everything("b") { $0.deniedPaths = ["/"] }])
        #expect(all.decide(.client("GET", "/x/y")).policies == 1)
    }

    @Test(arguments: [
        ("/p?buy=17", true), ("/p?a=1&Buy", true), ("/p?b%75y=", true), ("/p?do_it=1", true), ("/p?doit=1", false),
        ("/p?buyer=1", false), ("/p?a=buy", false), ("/buy?a=1", false), ("/buy", false), ("/p?buy.now=1", false),
        ("/p?%C3%9Cber=1", true),
    ])
    func `a policy's own parameters deny whatever their value is`(target: String, isDenied: Bool) throws {
        let reason = try reason(.client("GET", target)) { $0.deniedParameters = ["buy", "Do_It", "Über"] }
        #expect(reason == (isDenied ? .path : nil))
    }

    @Test func `a parameter denies for its own policy only`() throws {
        var driver = try PlanDriver([.everything("a") { $0.deniedParameters = ["x"] }, .everything("b")])
        #expect(driver.decide(.client("GET", "/y?x=1")).policies == 2)
    }

    // MARK: - What cannot be sent

    @Test func `upgrades are not mirrored, but the offer of HTTP/2 may be left out`() throws {
        let socket = [("Connection", "Upgrade"), ("Upgrade", "websocket")]
        #expect(try reason(.client("GET", "/", socket)) == .unsendable)
        let offer = [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABk")]
        #expect(try reason(.client("GET", "/", offer)) == nil)
        #expect(try reason(.client("GET", "/", [("Upgrade", "h2c, websocket")])) == .unsendable)
    }

    @Test(arguments: ["*", "shop.example.com:443", "", "products", "ftp://h/x"])
    func `targets without a path are not mirrored`(target: String) throws {
        #expect(try reason(.client("OPTIONS", target)) == .unsendable)
    }

    @Test func `octets that may not stand in a request are not sent`() throws {
        #expect(try reason(.client("GET", "/", [("X-A", "a\u{0}b")])) == .unsendable)
        #expect(try reason(.client("GET", "/", [("X-A", "a\r\n b")])) == .unsendable)
        #expect(try reason(.client("GET", "/a b")) == .unsendable)
        #expect(try reason(.client("GET", "/a\u{0}")) == .unsendable)
        #expect(try reason(.client("GET", "/ä")) == .unsendable)
        #expect(try reason(.client("GET", "/", [("X-A", "a\tä")])) == nil)
    }

    @Test func `a gRPC call is a POST like any other, until it is known how many messages it had`() throws {
        let call = RecordedRequest.client("POST", "/shop.Catalog/Get", [("content-type", "application/grpc")])
        #expect(try reason(call) == .method)
        #expect(try reason(call) { $0.methods = ["POST"] } == nil)
    }

    @Test func `two hosts are not mirrored`() throws {
        #expect(try reason(.client("GET", "/", [("Host", "a"), ("host", "a")])) == .unsendable)
    }

    @Test func `a client that expects to be told to go on is mirrored`() throws {
        let fields = [("Expect", "100-continue"), ("Content-Length", "2")]
        #expect(try reason(.client("POST", "/", fields, content: "ab")) { $0.methods = ["POST"] } == nil)
    }

    @Test func `hostile targets are decided without a trap`() throws {
        let targets = [
            "/%", "/%%%", "/?%", "/?&&;;==", "/graphql?%71=%", "http://", "https://", "http://@", "http://[", "?", "#",
            "/#",
            "/?#", "/\u{0}", String(repeating: "/..;", count: 10_000), String(repeating: "/%2e", count: 10_000),
            "/graphql?query=" + String(repeating: "%7B", count: 10_000),
        ]
        for target in targets {
            var driver = try PlanDriver(.everything())
            let selection = driver.decide(.client("GET", target))
            #expect(selection.isEmpty == !driver.tallies.isEmpty)
        }
    }
}
