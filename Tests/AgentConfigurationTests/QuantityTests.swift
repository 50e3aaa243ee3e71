// Wingmirror · Apache-2.0

import PacketDecoding
import RouteAttribution
import Testing

@testable import AgentConfiguration

@Suite struct QuantityTests {
    @Test(arguments: [
        ("0", 0), ("512", 512), ("512B", 512), ("64KiB", 65_536), ("64MiB", 67_108_864), ("2GiB", 2_147_483_648),
        ("10kB", 10_000), ("10MB", 10_000_000), ("1GB", 1_000_000_000),
    ])
    func `a size is read with its unit`(text: String, octets: Int) {
        #expect(ByteSize(text)?.octets == octets)
    }

    @Test(arguments: ["", "MiB", "-1", "+1", "1.5MiB", "1 MiB", "1mib", "9999999999GiB", "0x10"])
    func `what is no size is refused`(text: String) {
        #expect(ByteSize(text) == nil)
    }

    @Test(arguments: ["0B", "1B", "1000B", "1KiB", "1500KiB", "64MiB", "3GiB"])
    func `a size is written as it is read`(text: String) {
        #expect(ByteSize(text)?.description == text)
    }

    @Test(arguments: [
        ("100ms", Duration.milliseconds(100)), ("5m", .seconds(300)), ("1h30m", .seconds(5400)),
        ("2d", .seconds(172_800)),
        ("1s500ms", .milliseconds(1500)),
    ])
    func `a duration is read and written with its units`(text: String, duration: Duration) {
        #expect(Duration(text: text) == duration)
        #expect(duration.text == text)
    }

    @Test(arguments: ["", "5", "m", "5 m", "-5m", "1.5h", "5m1h", "5m5m", "5w", "99999999999s"])
    func `what is no duration is refused`(text: String) {
        #expect(Duration(text: text) == nil)
    }

    @Test(arguments: [("50/s", 50.0), ("90/m", 1.5), ("60/m", 1.0)])
    func `a rate is read`(text: String, perSecond: Double) {
        #expect(Rate(text)?.perSecond == perSecond)
    }

    @Test(arguments: ["", "50", "/s", "0/s", "-1/s", "50/h", "50/s/s", "5.5/s"])
    func `what is no rate is refused`(text: String) {
        #expect(Rate(text) == nil)
    }

    @Test(arguments: [
        ("0.0.0.0:9646", "0.0.0.0", 9646), (":9646", "0.0.0.0", 9646), ("localhost:0", "localhost", 0),
        ("[::]:80", "::", 80),
    ])
    func `a listening address is read`(text: String, host: String, port: Int) {
        #expect(ListenAddress(text) == ListenAddress(host: host, port: port))
    }

    @Test(arguments: ["", "9646", "host", "host:", "host:http", "::1:80", "[10.0.0.1]:80", "host:65536", "a b:1"])
    func `what is no listening address is refused`(text: String) {
        #expect(ListenAddress(text) == nil)
    }

    @Test(arguments: [
        ("127.0.0.1", UInt64(0), UInt64(0xFFFF_7F00_0001)),
        ("::", 0, 0),
        ("::1", 0, 1),
        ("2001:db8::1", 0x2001_0db8_0000_0000, 1),
        ("1:2:3:4:5:6:7:8", 0x0001_0002_0003_0004, 0x0005_0006_0007_0008),
        ("fe80::", 0xfe80_0000_0000_0000, 0),
        ("::ffff:10.0.0.1", 0, 0xFFFF_0A00_0001),
        ("64:ff9b::192.0.2.33", 0x0064_ff9b_0000_0000, 0x0000_0000_C000_0221),
    ])
    func `an address is read`(text: String, high: UInt64, low: UInt64) {
        #expect(IPAddress(text) == IPAddress(high: high, low: low))
    }

    @Test(arguments: [
        "", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", "12345::", "g::", "::1%lo",
        "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.+4", "1.2.3.4::", "[::1]", "::+1",
        "::-0", "1:2:3:4:5:6:7:1.2.3.4",
    ])
    func `what is no address is refused`(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(arguments: [("80", 80, 80), ("8080:80", 8080, 80)])
    func `a gateway port is read as on the command line`(text: String, pod: UInt16, server: UInt16) {
        #expect(GatewayPort(argument: text) == GatewayPort(pod: pod, server: server))
    }

    @Test(arguments: ["", ":", "80:", ":80", "0", "80:0", "http", "+80", "1:2:3", "65536"])
    func `what is no gateway port is refused`(text: String) {
        #expect(GatewayPort(argument: text) == nil)
    }
}

@Suite struct EditDistanceTests {
    @Test(arguments: [
        ("", "", 0), ("abc", "abc", 0), ("abc", "ABC", 0), ("abc", "", 3), ("kitten", "sitting", 3),
        ("captrue", "capture", 1),
        ("interfacs", "interfaces", 1),
    ])
    func `insertions, deletions, substitutions and swaps each count one`(left: String, right: String, distance: Int) {
        #expect(left.editDistance(to: right) == distance)
        #expect(right.editDistance(to: left) == distance)
    }

    @Test func `the nearest of several is the first with the smallest distance`() {
        #expect(["files", "file", "fields"].nearest(to: "fils") == "files")
        #expect([String]().nearest(to: "x") == nil)
    }
}
