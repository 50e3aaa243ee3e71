// Wingmirror · Apache-2.0

import Testing

@testable import Redaction

@Suite struct CredentialReplacementTests {
    private static func replacement(names: Set<String> = []) -> CredentialReplacement {
        CredentialReplacement(names: names) { _ in Array("REDACTED".utf8) }
    }

    @Test func `names of the configuration are those of parameters too`() {
        var credentials = Self.replacement(names: ["x-customer"])
        let shown = credentials.redacted(url: Array("/a?X-Customer=planted&b=c".utf8))
        #expect(String(decoding: shown, as: UTF8.self) == "/a?X-Customer=REDACTED&b=c")
        #expect(credentials.count == 1)
    }

    @Test func `names are known again, however many there were`() {
        var credentials = Self.replacement()
        for round in 0..<2 {
            for number in 0..<2_000 {
                let shown = credentials.redacted(url: Array("/a?n\(number)=x&token\(number)=planted".utf8))
                #expect(String(decoding: shown, as: UTF8.self) == "/a?n\(number)=x&token\(number)=REDACTED", "\(round)")
            }
        }
        #expect(credentials.count == 4_000)
    }

    @Test(arguments: [
        ("referer", "https://h/a?token=planted&b=c", "https://h/a?token=REDACTED&b=c"),
        ("location", "//u:planted@h/", "//REDACTED@h/"),
        ("link", "<https://h/a?token=planted>; rel=next, </b?c=d>", "<https://h/a?token=REDACTED>; rel=next, </b?c=d>"),
        ("refresh", "0; url=https://h/?token=planted", "0; url=https%3A%2F%2Fh%2F%3Ftoken%3DREDACTED"),
        ("accept", "text/html;token=0.5", "text/html;token=0.5"),
        ("referer", "wss://user:planted@h/x", "wss://REDACTED@h/x"),
        ("x-forwarded-host", "u:planted@h", "REDACTED@h"),
        ("hx-current-url", "https://h/?token=planted", "https://h/?token=REDACTED"),
        ("X-Forwarded-Prefix", "/a?token=planted", "/a?token=REDACTED"),
        ("x-anything", "https://h/?token=planted", "https://h/?token=REDACTED"),
        ("soapaction", "\"https://h/?a=b&token=planted\"", "\"https://h/?a=b&token=REDACTED\""),
        (
            "x-anything", "see https://h/x?token=planted, or https://u:planted@h/",
            "see https://h/x?token=REDACTED, or https://REDACTED@h/"
        ),
        (
            "reporting-endpoints", "main=\"https://h/?token=planted\", b=\"https://h/?b=c\"",
            "main=\"https://h/?token=REDACTED\", b=\"https://h/?b=c\""
        ),
        (
            "content-security-policy", "default-src 'self'; report-uri https://h/?token=planted; sandbox",
            "default-src 'self'; report-uri https://h/?token=REDACTED; sandbox"
        ),
        ("link", "https://h/a?token=planted; rel=next", "https://h/a?token=REDACTED; rel=next"),
        ("x-anything", "home?a=b&token=planted", "home?a=b&token=REDACTED"),
        ("x-anything", "/a?token=planted&b=c https://h/x", "/a?token=REDACTED&b=c https://h/x"),
        ("x-anything", "/go?token=planted&u=https://h/?b=c", "/go?token=REDACTED&u=https://h/?b=c"),
        ("x-anything", "see /a?token=planted, \"/b?sig=planted\"", "see /a?token=REDACTED, \"/b?sig=REDACTED\""),
        ("x-anything", "\"/a?token=planted\"", "\"/a?token=REDACTED\""),
        ("x-anything", "what? token=kept", "what? token=kept"),
        ("hx-current-url", "https%3A%2F%2Fh%2F%3Ftoken%3Dplanted", "https%3A%2F%2Fh%2F%3Ftoken%3DREDACTED"),
        ("x-anything", "https%3A%2F%2Fh%2F%3Ftoken%3Dplanted", "https%3A%2F%2Fh%2F%3Ftoken%3DREDACTED"),
        ("x-anything", "jdbc:postgresql://u:planted@h", "jdbc:postgresql://REDACTED@h"),
        (
            "forwarded", "for=192.0.2.1;host=\"u:pl;anted@h\", for=b;Host=u@h;proto=https",
            "for=192.0.2.1;host=\"REDACTED@h\", for=b;Host=REDACTED@h;proto=https"
        ),
        ("forwarded", "for=https://h/?token=planted;host=h", "for=https://h/?token=REDACTED;host=h"),
        ("forwarded", "for=192.0.2.1;host=h;by=\"a@b\"", "for=192.0.2.1;host=h;by=\"a@b\""),
        ("x-anything", "://", "://"), ("x-anything", "a://,", "a://,"), ("accept", "50%25;q=1", "50%25;q=1"),
        ("user-agent", "Mozilla/5.0 (X; token=0)", "Mozilla/5.0 (X; token=0)"),
    ])
    func `fields that hold URLs lose the credentials in them`(name: String, value: String, expected: String) {
        var credentials = Self.replacement()
        let shown = credentials.redacted(field: name.utf8.span, Array(value.utf8))
        #expect(String(decoding: shown, as: UTF8.self) == expected)
    }

    @Test(arguments: [
        (
            "application/x-www-form-urlencoded; charset=utf-8", "user=anna&password=planted&a=1",
            "user=anna&password=REDACTE&a=1"
        ),
        ("application/x-www-form-urlencoded", "user[pin]=1234", "user[pin]=REDA"),
        ("application/x-www-form-urlencoded", "a=b&pin%3D1234", "a=b&pin%3DREDA"),
        ("application/x-www-form-urlencoded", "next=%2Fa%3Ftoken%3Dplanted", "next=REDACTEDREDACTEDREDACT"),
        ("application/x-www-form-urlencoded", "user=anna&password=", "user=anna&password="),
        ("application/x-www-form-urlencoded", "user=anna&pass", "user=anna&pass"),
        ("application/json", #"{"password":"kept"}"#, #"{"password":"kept"}"#),
        (
            "multipart/form-data; boundary=x",
            "--x\r\nContent-Disposition: form-data; name=\"pwd\"\r\n\r\nplanted\r\n--x--\r\n",
            "--x\r\nContent-Disposition: form-data; name=\"pwd\"\r\n\r\nREDACTE\r\n--x--\r\n"
        ),
        ("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: planted", "REDACTEDREDACTEDREDACTEDREDACTEDR"),
    ])
    func `forms keep their length and lose credentials`(type: String, content: String, expected: String) {
        var credentials = Self.replacement()
        let shown = credentials.redacted(content: Array(content.utf8), contentType: type, isCoded: false)
        #expect(String(decoding: shown, as: UTF8.self) == expected)
    }

    @Test(arguments: [
        #"form-data; filename="a;name=x"; name="password""#, #"form-data; name="a"; name="password""#,
        #"form-data; name = "password""#, #"form-data; name="pass%77ord""#, "form-data; name*=UTF-8''password",
        #"form-data; name="pass\word""#,
    ])
    func `a part is hidden whichever of its names is a credential's`(disposition: String) {
        var credentials = Self.replacement()
        let content = "--x\r\nContent-Disposition : \(disposition)\r\n\r\nplanted\r\n--x--\r\n"
        let type = "multipart/form-data; boundary=\"x\""
        let shown = credentials.redacted(content: Array(content.utf8), contentType: type, isCoded: false)
        #expect(!String(decoding: shown, as: UTF8.self).contains("planted"))
        #expect(credentials.count == 1)
    }

    @Test func `a part that is a link loses its credentials, and one that is a file stays`() {
        var credentials = Self.replacement()
        func form(_ parameters: String) -> [UInt8] {
            Array(
                "--x\r\nContent-Disposition: form-data; \(parameters)\r\n\r\nhttps://h/?token=planted\r\n--x--\r\n".utf8
            )
        }
        let type = "multipart/form-data; boundary=x"
        let shown = credentials.redacted(content: form("name=next"), contentType: type, isCoded: false)
        #expect(!String(decoding: shown, as: UTF8.self).contains("planted"))
        let file = form("name=next; filename=a")
        #expect(credentials.redacted(content: file, contentType: type, isCoded: false) == file)
    }

    @Test(arguments: [
        ("u:planted@h:443", "REDACTED@h:443"), ("h:443", "h:443"), ("/a?%2574oken=planted", "/a?%2574oken=REDACTED"),
        (
            "/a?next=https%253A%252F%252Fh%252F%253Ftoken%253Dplanted",
            "/a?next=https%253A%252F%252Fh%252F%253Ftoken%253DREDACTED"
        ),
        ("/a?u=postgres%3A%2F%2Fuser%3Aplanted%40h", "/a?u=postgres%3A%2F%2FREDACTED%40h"),
        ("/go/https%3A%2F%2Fh%2F%3Ftoken%3Dplanted/x", "/go/https%3A%2F%2Fh%2F%3Ftoken%3DREDACTED/x"),
        ("/a%3Bjsessionid=planted?b=c", "/a%3Bjsessionid%3DREDACTED?b=c"), ("/a%3Bb=c", "/a%3Bb=c"),
        ("/a?token%3Dplanted&b=c", "/a?token%3DREDACTED&b=c"), ("/a?b%3dtoken&%3D&%3", "/a?b%3dtoken&%3D&%3"),
    ])
    func `targets of every form lose their credentials`(target: String, expected: String) {
        var credentials = Self.replacement()
        #expect(String(decoding: credentials.redacted(url: Array(target.utf8)), as: UTF8.self) == expected)
    }

    @Test func `a JSON Web Token is replaced wherever it stands`() {
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJwbGFudGVkIn0.c2lnbmF0dXJl"
        for (before, after) in [("/a/", "/b"), ("/a?d=", "&e=f"), ("/a#", "")] {
            var credentials = Self.replacement()
            let shown = credentials.redacted(url: Array("\(before)\(token)\(after)".utf8))
            #expect(String(decoding: shown, as: UTF8.self) == "\(before)REDACTED\(after)")
            #expect(credentials.count == 1)
        }
        var credentials = Self.replacement()
        let shown = credentials.redacted(field: "x-anything".utf8.span, Array("Bearer \(token), \(token)".utf8))
        #expect(String(decoding: shown, as: UTF8.self) == "Bearer REDACTED, REDACTED")
        let mayBeToken = CredentialReplacement.mayFindCredentials(in: token.utf8.span)
        let mayBePlain = CredentialReplacement.mayFindCredentials(in: "/eye/ey".utf8.span)
        #expect(mayBeToken)
        #expect(!mayBePlain)
    }

    @Test func `a form with text behind its end is replaced whole`() {
        var credentials = Self.replacement()
        let form = "--x\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n--x--\r\n"
        let type = "multipart/form-data; boundary=x"
        let shown = credentials.redacted(
            content: Array("\(form)password=planted".utf8),
            contentType: type,
            isCoded: false
        )
        #expect(!String(decoding: shown, as: UTF8.self).contains("planted"))
        #expect(credentials.redacted(content: Array(form.utf8), contentType: type, isCoded: false) == Array(form.utf8))
    }

    @Test func `of a form that bears a coding nothing is shown`() {
        var credentials = Self.replacement()
        let type = "application/x-www-form-urlencoded"
        let shown = credentials.redacted(content: Array("planted".utf8), contentType: type, isCoded: true)
        #expect(String(decoding: shown, as: UTF8.self) == "REDACTE")
    }
}
