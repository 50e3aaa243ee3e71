// Wingmirror · Apache-2.0

import PacketDecoding
import Testing

@Suite struct AddressTextTests {
    /// A text, and the canonical text of the same address.
    struct Row: CustomTestStringConvertible, Sendable {
        let section: String
        let text: String
        let canonical: String

        var testDescription: String { "\(section): \(text)" }
    }

    static let rows: [Row] = [
        Row(
            section: "RFC 4291 §2.2",
            text: "ABCD:EF01:2345:6789:ABCD:EF01:2345:6789",
            canonical: "abcd:ef01:2345:6789:abcd:ef01:2345:6789"
        ),
        Row(section: "RFC 4291 §2.2", text: "2001:DB8:0:0:8:800:200C:417A", canonical: "2001:db8::8:800:200c:417a"),
        Row(section: "RFC 4291 §2.2", text: "FF01:0:0:0:0:0:0:101", canonical: "ff01::101"),
        Row(section: "RFC 4291 §2.2", text: "0:0:0:0:0:0:0:1", canonical: "::1"),
        Row(section: "RFC 4291 §2.2", text: "::", canonical: "::"),
        Row(section: "RFC 4291 §2.2", text: "::FFFF:129.144.52.38", canonical: "129.144.52.38"),
        Row(section: "RFC 4291 §2.2", text: "64:ff9b::192.0.2.33", canonical: "64:ff9b::c000:221"),
        Row(section: "RFC 5952 §4.1", text: "2001:0db8::0001", canonical: "2001:db8::1"),
        Row(section: "RFC 5952 §4.2.1", text: "2001:db8:0:0:0:0:2:1", canonical: "2001:db8::2:1"),
        Row(section: "RFC 5952 §4.2.2", text: "2001:db8::1:1:1:1:1", canonical: "2001:db8:0:1:1:1:1:1"),
        Row(section: "RFC 5952 §4.2.3", text: "2001:0:0:1:0:0:0:1", canonical: "2001:0:0:1::1"),
        Row(section: "RFC 5952 §4.2.3", text: "2001:db8:0:0:1:0:0:1", canonical: "2001:db8::1:0:0:1"),
        Row(section: "RFC 5952 §4.3", text: "2001:DB8::A", canonical: "2001:db8::a"),
        Row(section: "a run at the end", text: "2001:db8:1:2:0:0:0:0", canonical: "2001:db8:1:2::"),
        Row(section: "IPv4", text: "192.0.2.1", canonical: "192.0.2.1"),
        Row(section: "IPv4", text: "255.255.255.255", canonical: "255.255.255.255"),
        Row(section: "IPv4", text: "0.0.0.0", canonical: "0.0.0.0"),
    ]

    @Test(arguments: rows)
    func `every form of an address is read, and written in its canonical form`(_ row: Row) throws {
        let address = try #require(IPAddress(row.text))
        #expect(address.description == row.canonical)
        #expect(IPAddress(row.canonical) == address)
    }

    @Test(arguments: [
        "", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "1:2:3:4:5:6:7::8", "12345::", "g::",
        "fe80::1%eth0", "::+1", "::-0", "1:2:3:4:5:6:7:1.2.3.4",
        "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.+4", "1.2.3.", "::1.2.3.4.5", "1.2.3.4::", "-1::", " ::1",
    ])
    func `what is no address is refused`(_ text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test func `an endpoint of IPv6 has brackets: RFC 5952 §6`() {
        #expect(Endpoint(address: IPAddress(ipv4: 0xC000_0201), port: 80).description == "192.0.2.1:80")
        #expect(SampleSegment.server6.description == "[2001:db8::1]:8080")
    }

    @Test(arguments: ["192.0.2.1:80", "[2001:db8::1]:8080", "[::]:0", "0.0.0.0:65535"])
    func `an endpoint is read back from its text`(_ text: String) {
        #expect(Endpoint(text)?.description == text)
    }

    @Test(arguments: [
        "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:+1", "2001:db8::1:80", "[192.0.2.1]:80", "[::1]",
        ":80",
    ])
    func `what is no endpoint is refused`(_ text: String) {
        #expect(Endpoint(text) == nil)
    }
}
