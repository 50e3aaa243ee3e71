// Wingmirror · Apache-2.0

import Testing
import TrafficModel

@testable import Redaction
@testable import ShadowTesting

@Suite struct RedactionTests {
    // MARK: - Fields

    @Test(arguments: [
        "Authorization", "Cookie", "Proxy-Authorization", "X-Forwarded-Client-Cert", "X-Api-Key", "apikey",
        "X-Auth-Token",
        "X-Amz-Security-Token", "X-CSRF-Token", "Private-Token", "X-My_Secret", "X-Forwarded-Access-Token",
        "X-Session-Id",
        "X-User-Password", "Signature", "DPoP", "Cf-Access-Jwt-Assertion",
    ])
    func `credentials in fields are taken out by default`(name: String) throws {
        let request = try BuilderDriver().build(.client("GET", "/", [(name, "planted")]))
        #expect(request.values(of: name.lowercased()).isEmpty)
        #expect(request.redactions == 1)
    }

    @Test(arguments: [
        "Accept", "X-Forwarded-For", "X-Request-Id", "User-Agent", "Content-Type", "X-Author",
        "X-Keyboard",
        "Sec-Fetch-Mode",
    ])
    func `other fields are sent`(name: String) throws {
        let request = try BuilderDriver().build(.client("GET", "/", [(name, "text")]))
        #expect(request.values(of: name.lowercased()) == ["text"])
        #expect(request.redactions == 0)
    }

    @Test func `settings of the policy go before the default, and the one that shows least wins`() throws {
        let driver = BuilderDriver {
            $0.policy.keptFields = ["Authorization", "cookie", "x-both"]
            $0.policy.removedFields = ["X-Tenant", "x-both"]
            $0.policy.hashedFields = ["X-User", "cookie"]
        }
        let fields = [
            ("authorization", "Basic abc"), ("Cookie", "a=b"), ("x-tenant", "t"), ("X-USER", "u"), ("X-Both", "b"),
        ]
        let request = try driver.build(.client("GET", "/", fields))
        #expect(request.values(of: "authorization") == ["Basic abc"])
        #expect(request.values(of: "cookie").first?.hasPrefix("wm-") == true)
        #expect(request.values(of: "x-user").first?.hasPrefix("wm-") == true)
        #expect(request.values(of: "x-tenant").isEmpty && request.values(of: "x-both").isEmpty)
        #expect(request.redactions == 4)
    }

    // MARK: - Queries

    @Test(arguments: [
        ("/a?access_token=planted", "/a"), ("/a?x=1&access_token=planted&y=2", "/a?x=1&y=2"),
        ("/a?API_KEY=planted", "/a"),
        ("/a?%61pi_key=planted&x", "/a?x"), ("/a?sig=planted;y=2", "/a?y=2"), ("/a?x=1&password=planted", "/a?x=1"),
        ("/a?X-Amz-Signature=planted&X-Amz-Credential=planted", "/a"), ("/a?user[password]=planted", "/a"),
        ("/a?accessToken=planted&id_token=planted", "/a"), ("/a;jsessionid=planted", "/a"),
        ("/a;jsessionid=planted;v=1/b?c", "/a;v=1/b?c"), ("/a?token", "/a"), ("/a?x=token", "/a?x=token"),
        ("/a?keyboard=1&sort=key", "/a?keyboard=1&sort=key"), ("/a?&&", "/a?&&"), ("/a?%zz=1", "/a?%zz=1"),
        ("/a;v=1;w", "/a;v=1;w"), ("/a?=x", "/a?=x"),
    ])
    func `credentials in targets are taken out by default`(target: String, expected: String) throws {
        #expect(try BuilderDriver().build(.client("GET", target)).target == expected)
    }

    @Test func `a policy may keep a parameter, or have it hashed`() throws {
        let driver = BuilderDriver {
            $0.policy.keptParameters = ["Key", "token"]
            $0.policy.hashedParameters = ["user", "token"]
        }
        let target = try driver.build(.client("GET", "/a?key=k&user=anna&token=t&x=anna&user=ann%61&user=")).target
        let parts = target.split(separator: "&", omittingEmptySubsequences: false)
        #expect(parts[0] == "/a?key=k")
        #expect(parts[1].hasPrefix("user=wm-"))
        #expect(parts[2].hasPrefix("token=wm-"))
        #expect(parts[3] == "x=anna")
        #expect(parts[4] == parts[1], "equal values are equal however they are encoded")
        #expect(parts[5] == "user=")
    }

    @Test(arguments: [
        ("https://shop.example.com/a?access_token=planted&b=1", "https://shop.example.com/a?b=1"),
        ("https://user:planted@shop.example.com/", "https://shop.example.com/"),
        ("https://shop.example.com/#access_token=planted", "https://shop.example.com/"),
        ("app://x/y?token=planted", "app://x/y"), ("/a?token=planted", "/a"), ("", ""), ("about:blank", "about:blank"),
        ("https://shop.example.com", "https://shop.example.com"),
    ])
    func `URLs in fields lose their credentials`(value: String, expected: String) throws {
        let request = try BuilderDriver().build(.client("GET", "/", [("Referer", value)]))
        #expect(request.values(of: "referer") == [expected])
    }

    // MARK: - Hashes

    @Test func `equal values have equal hashes wherever they stand`() throws {
        let driver = BuilderDriver {
            $0.policy.hashedFields = ["x-user"]
            $0.policy.hashedParameters = ["user"]
            $0.policy.hashedContent = ["user.name", "list[].name", "[].name"]
        }
        let request = try driver.build(
            .client(
                "POST",
                "/a?user=ann%C3%A4",
                [("X-User", "annä"), ("Content-Type", "application/json")],
                content: #"{"user":{"name":"ann\u00e4"},"list":[{"name":"annä"},{"name":"bob"}]}"#
            )
        )
        let hash = try #require(request.values(of: "x-user").first)
        #expect(request.target == "/a?user=\(hash)")
        #expect(request.contentText.hasPrefix(#"{"user":{"name":"\#(hash)"},"list":[{"name":"\#(hash)"},{"name":"wm-"#))
        #expect(request.contentText.components(of: hash) == 2)
        #expect(request.redactions == 5)
    }

    @Test func `another key gives other hashes`() throws {
        var driver = BuilderDriver { $0.policy.hashedFields = ["x-user"] }
        let first = try driver.build(.client("GET", "/", [("X-User", "anna")])).values(of: "x-user")
        driver.key = RedactionKey(high: 1, low: 1)
        #expect(try driver.build(.client("GET", "/", [("X-User", "anna")])).values(of: "x-user") != first)
    }

    @Test func `values keep the form that a target may ask for`() {
        let values = ValueRedaction(key: RedactionKey(high: 3, low: 4))
        func replaced(_ text: String) -> String { values.replacement(for: Array(text.utf8)) }
        #expect(replaced("anna@example.com").hasPrefix("wm-"))
        #expect(replaced("anna@example.com").hasSuffix("@redacted.invalid"))
        let uuid = replaced("123e4567-e89b-12d3-a456-426614174000")
        #expect(ValueRedaction.Shape(Array(uuid.utf8)) == .uuid)
        #expect(Array(uuid.utf8)[14] == UInt8(ascii: "4"))
        #expect(replaced("123E4567-E89B-12D3-A456-426614174000") == uuid)
        let number = replaced("+491701234567")
        #expect(number.utf8.count == 13 && number.hasPrefix("+") && number != "+491701234567")
        #expect(replaced("4111111111111111").utf8.count == 16)
        #expect(replaced("1234").hasPrefix("wm-"))
        #expect(replaced("a@b@c.d").utf8.count == 19)
        #expect(replaced("") == "")
    }

    // MARK: - Content

    private func content(_ text: String, paths: [String], type: String? = "application/json") throws -> ShadowRequest {
        let driver = BuilderDriver { $0.policy.hashedContent = paths }
        let fields = type.map { [("Content-Type", $0)] } ?? []
        return try driver.build(.client("POST", "/", fields, content: text))
    }

    @Test func `everything but the named values stays as it was written`() throws {
        let text = #" { "id": 12345678901234567890, "price":1.10, "e" : 1e2 , "name" : "x" , "n":null,"é":"A" } "#
        let sent = try content(text, paths: ["name", "missing.deep"])
        let expected = text.split(separator: #""x""#).map(String.init)
        #expect(sent.contentText.hasPrefix(expected[0]) && sent.contentText.hasSuffix(expected[1]))
        #expect(sent.redactions == 1)
        #expect(sent.values(of: "content-length") == [String(sent.content.count)])
        #expect(try content(text, paths: ["missing"]).contentText == text)
    }

    @Test func `scalars of every type are replaced by their type`() throws {
        let sent = try content(#"{"s":"a","n":-1.5e3,"t":true,"f":false,"z":null}"#, paths: ["s", "n", "t", "f", "z"])
        #expect(sent.redactions == 4)
        #expect(sent.contentText.contains(#""t":false,"f":false,"z":null}"#))
        #expect(!sent.contentText.contains("1.5e3"))
        #expect(sent.contentText.contains(#""s":"wm-"#))
    }

    @Test func `an object or list that is named loses everything in it`() throws {
        let sent = try content(#"{"user":{"a":"planted","b":["planted",{"c":"planted"}]},"x":"kept"}"#, paths: ["user"])
        #expect(!sent.contentText.contains("planted"))
        #expect(sent.contentText.contains(#""x":"kept""#))
        #expect(sent.redactions == 3)
    }

    @Test func `lists are gone through, expected or not`() throws {
        let paths = ["a[].b", "c.d", "[][].e"]
        let sent = try content(#"{"a":[{"b":"planted"},{"b":"planted"},{}],"c":[{"d":"planted"}]}"#, paths: paths)
        #expect(sent.redactions == 3)
        let nested = try content(#"[[{"e":"planted"}],[],[{"e":"planted","f":"kept"}]]"#, paths: paths)
        #expect(nested.redactions == 2)
        #expect(nested.contentText.contains("kept") && !nested.contentText.contains("planted"))
    }

    @Test func `keys and values are read through their escapes`() throws {
        let sent = try content(#"{"n\u0061me":"pl\"an\\ted","other":"\u0022name\u0022:"}"#, paths: ["name"])
        #expect(sent.contentText.hasPrefix(#"{"n\u0061me":"wm-"#))
        #expect(sent.contentText.hasSuffix(#","other":"\u0022name\u0022:"}"#))
    }

    @Test(arguments: [
        ("{", "application/json"), ("", "application/json"), ("name=a", "application/json"),
        ("{\"a\":1}x", "application/json"),
        ("{\"a\":1,\"a\":2}", "application/json"), ("<a/>", "application/xml"), ("{\"a\":1}", "text/plain"),
        ("\u{0}", "application/vnd.api+json"),
    ])
    func `content in which nothing can be found is not sent`(text: String, type: String) throws {
        let driver = BuilderDriver { $0.policy.hashedContent = ["a"] }
        let request = RecordedRequest.client("POST", "/", [("Content-Type", type)], content: text)
        #expect(driver.reason(against: request) == (text.isEmpty ? nil : .redaction))
        #expect(BuilderDriver().reason(against: request) == nil)
    }

    @Test func `JSON by any name, or by none, is searched`() throws {
        for type in [
            "application/json; charset=utf-8", "Application/JSON", "application/vnd.api+json", "text/json", nil,
        ] {
            #expect(try content(#"{"a":"planted"}"#, paths: ["a"], type: type).redactions == 1)
        }
    }

    @Test func `coded content is refused if something in it is to be hashed`() throws {
        let driver = BuilderDriver { $0.policy.hashedContent = ["a"] }
        let fields = [("Content-Type", "application/json"), ("Content-Encoding", "gzip")]
        #expect(driver.reason(against: .client("POST", "/", fields, content: "x")) == .redaction)
        let plain = [("Content-Type", "application/json"), ("Content-Encoding", "identity")]
        #expect(try driver.build(.client("POST", "/", plain, content: #"{"a":"b"}"#)).redactions == 1)
    }

    @Test func `forms lose their credentials and what the policy names`() throws {
        let driver = BuilderDriver {
            $0.policy.hashedContent = ["mail"]
            $0.policy.hashedParameters = ["user"]
        }
        let fields = [("Content-Type", "application/x-www-form-urlencoded")]
        let content = "user=anna&password=planted&mail=anna%40example.com&note=hi"
        let sent = try driver.build(.client("POST", "/", fields, content: content))
        #expect(sent.redactions == 3)
        #expect(sent.contentText.contains("note=hi") && sent.contentText.contains("%40redacted.invalid"))
        #expect(!sent.contentText.contains("planted") && !sent.contentText.contains("anna"))
        #expect(sent.values(of: "content-length") == [String(sent.content.count)])
    }

    private static func multipart(_ parts: [(name: String, content: String)], boundary: String = "XyZ") -> String {
        let texts = parts.map { name, content in
            "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(content)\r\n"
        }
        return texts.joined() + "--\(boundary)--\r\n"
    }

    @Test(arguments: ["multipart/form-data; boundary=XyZ", "Multipart/Form-Data; charset=utf-8; boundary=\"XyZ\""])
    func `forms in parts lose their credentials and keep their shape`(type: String) throws {
        let driver = BuilderDriver { $0.policy.hashedContent = ["mail"] }
        let parts = [
            ("user", "anna"), ("password", "planted\r\n--not a boundary"), ("mail", "anna@example.com"), ("empty", ""),
            ("api_key", "planted"), ("file", "kept\r\n\r\n--Xy"), ("token", ""),
        ]
        let content = Self.multipart(parts)
        let sent = try driver.build(.client("POST", "/", [("Content-Type", type)], content: content))
        #expect(sent.redactions == 3)
        #expect(!sent.contentText.contains("planted") && !sent.contentText.contains("anna@example.com"))
        let kept = parts.filter { ["user", "file", "empty", "token"].contains($0.0) }
        for part in kept {
            #expect(sent.contentText.contains("name=\"\(part.0)\"\r\n\r\n\(part.1)\r\n--XyZ"))
        }
        #expect(sent.values(of: "content-length") == [String(sent.content.count)])
    }

    @Test(arguments: [
        ("--x", "multipart/form-data; boundary=x"), ("--x\r\n\r\nplanted\r\n--x--", "multipart/form-data; boundary=x"),
        ("--x\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nplanted", "multipart/form-data; boundary=x"),
        ("--x--", "multipart/form-data"), ("planted", "multipart/form-data; boundary="),
    ])
    func `a form in parts that cannot be read is not sent`(text: String, type: String) {
        let request = RecordedRequest.client("POST", "/", [("Content-Type", type)], content: text)
        #expect(BuilderDriver().reason(against: request) == .redaction)
    }

    @Test func `a form under a content coding is not sent, as its credentials cannot be seen`() {
        for type in ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
            let fields = [("Content-Type", type), ("Content-Encoding", "gzip")]
            #expect(BuilderDriver().reason(against: .client("POST", "/", fields, content: "x")) == .redaction)
        }
    }

    @Test func `members of JSON that are named as credentials are hashed where the policy asks for it`() throws {
        let driver = BuilderDriver { $0.policy.hashesCredentialsInContent = true }
        let fields = [("Content-Type", "application/json")]
        let content = #"{"user":"anna","password":"planted","a":[{"api_key":{"x":"planted"},"id":7}],"tokens":1}"#
        let sent = try driver.build(.client("POST", "/", fields, content: content))
        #expect(!sent.contentText.contains("planted"))
        #expect(sent.contentText.contains(#""user":"anna""#) && sent.contentText.contains(#""id":7"#))
        #expect(try BuilderDriver().build(.client("POST", "/", fields, content: content)).contentText == content)
        // What is no JSON, and said to be something else, has no members.
        let text = try driver.build(.client("POST", "/", [("Content-Type", "text/plain")], content: "planted"))
        #expect(text.contentText == "planted")
    }

    @Test(arguments: [
        ["text/plain", "application/x-www-form-urlencoded"], ["application/x-www-form-urlencoded", "text/plain"],
    ])
    func `content is a form if one of several types says so`(types: [String]) throws {
        let fields = types.map { ("Content-Type", $0) }
        let sent = try BuilderDriver().build(.client("POST", "/", fields, content: "user=anna&password=planted"))
        #expect(sent.contentText.hasPrefix("user=anna&password=wm-"))
        #expect(MediaTypeText.deciding(of: types) == "application/x-www-form-urlencoded")
        #expect(MediaTypeText.deciding(of: ["text/plain", "text/html"]) == "text/plain")
        #expect(MediaTypeText.deciding(of: []) == nil)
    }

    @Test func `JSON that is called a form, as curl calls it, is searched like any`() throws {
        let fields = [("Content-Type", "application/x-www-form-urlencoded")]
        let content = #"{"user":"anna","password":"planted="}"#
        let named = BuilderDriver { $0.policy.hashedContent = ["password"] }
        let asked = BuilderDriver { $0.policy.hashesCredentialsInContent = true }
        for driver in [named, asked] {
            let sent = try driver.build(.client("POST", "/", fields, content: content))
            #expect(sent.contentText.hasPrefix(#"{"user":"anna","password":"wm-"#))
            #expect(sent.redactions == 1)
            let form = try driver.build(.client("POST", "/", fields, content: "user=anna&password=planted"))
            #expect(form.contentText.hasPrefix("user=anna&password=wm-"))
        }
    }

    @Test func `deep and long content is redacted or refused, never sent in the clear`() throws {
        let driver = BuilderDriver { $0.policy.hashedContent = ["a"] }
        let fields = [("Content-Type", "application/json")]
        let deep = String(repeating: "[", count: 100_000) + #"{"a":"planted"}"# + String(repeating: "]", count: 100_000)
        #expect(driver.reason(against: .client("POST", "/", fields, content: deep)) == .redaction)
        let wide = "[" + String(repeating: #"{"a":"planted"},"#, count: 5000) + #"{"a":"planted"}]"#
        let sent = try driver.build(.client("POST", "/", fields, content: wide))
        #expect(sent.redactions == 5001 && !sent.contentText.contains("planted"))
    }
}

extension String {
    /// How often a text occurs.
    fileprivate func components(of text: String) -> Int {
        split(separator: text, omittingEmptySubsequences: false).count - 1
    }
}
