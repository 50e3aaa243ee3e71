// Wingmirror · Apache-2.0

import Redaction
import Testing

@Suite struct ShownRequestTests {
    @Test(arguments: [
        ("/a", "/a"), ("/a?b=c", "/a?b=c"), ("/a?", "/a?"), ("/a?token", "/a?token"),
        ("/a?access_token=x", "/a?access_token=[redacted]"),
        ("/a?b=c&api_key=x%3D&d=e", "/a?b=c&api_key=[redacted]&d=e"),
        ("/a?Access%5FToken=x", "/a?Access%5FToken=[redacted]"), ("/a;jsessionid=x/b?c=d", "/a;jsessionid=[redacted]"),
        ("https://h/p?password=x;y=z", "https://h/p?password=[redacted];y=z"),
        ("/a?b?token=x", "/a?b?token=[redacted]"),
        ("/a?token=", "/a?token=[redacted]"),
    ])
    func `values of parameters that carry credentials are not shown`(url: String, shown: String) {
        #expect(String(decoding: ShownRequest.redacted(url: Array(url.utf8)), as: UTF8.self) == shown)
    }

    @Test(arguments: [
        ("Link", "<https://h/?token=x>; rel=next", "<https://h/?token=[redacted]>; rel=next"),
        ("Forwarded", "for=192.0.2.1;host=\"u:x@h\"", "for=192.0.2.1;host=\"[redacted]@h\""),
        ("X-Options", "a;token=x", "a;token=[redacted]"), ("Host", "u:x@h", "[redacted]@h"),
        ("X-Note", "see wss://u:x@h/, https://h/?a=b", "see wss://[redacted]@h/, https://h/?a=b"),
    ])
    func `values of headers are shown without the credentials in them`(name: String, value: String, shown: String) {
        let redacted = ShownRequest.redacted(field: name, Array(value.utf8))
        #expect(String(decoding: redacted, as: UTF8.self) == shown)
    }

    @Test func `octets that are no text are shown as they are`() {
        let url: [UInt8] = [0x2F, 0xFF, 0x3F, 0xFE, 0x3D, 0xFD]
        #expect(ShownRequest.redacted(url: url) == url)
    }

    @Test func `fields that carry credentials are not shown`() {
        #expect(ShownRequest.hidesField("x-api-key"))
        #expect(!ShownRequest.hidesField("accept"))
    }
}
