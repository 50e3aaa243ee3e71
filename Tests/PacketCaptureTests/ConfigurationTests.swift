// Wingmirror · Apache-2.0

import PacketDecoding
import Testing

@testable import PacketCapture

@Suite struct LiveConfigurationTests {
    @Test func `the snapshot length holds an aggregated frame whole unless told otherwise`() throws {
        let configuration = try LiveConfiguration(interfaces: ["eth0"])
        #expect(configuration.snapshotLength == 262_144)
        #expect(configuration.ringOctets == 64 << 20)
        #expect(!configuration.isPromiscuous)
    }

    @Test(
        arguments: [
            ([], 262_144, 1 << 20, 1),
            (["eth0", "eth0"], 262_144, 1 << 20, 1),
            (["eth0"], 10, 1 << 20, 1),
            (["eth0"], 262_144, 0, 1),
            (["eth0"], 262_144, 1 << 20, 0),
            (["eth0"], 262_144, 1 << 20, 257),
        ] as [([String], Int, Int, Int)]
    )
    func `what cannot be is refused`(interfaces: [String], snapshotLength: Int, ringOctets: Int, workers: Int) {
        #expect {
            _ = try LiveConfiguration(
                interfaces: interfaces,
                snapshotLength: snapshotLength,
                ringOctets: ringOctets,
                workers: workers
            )
        } throws: { error in
            (error as? CaptureError)?.code == .invalidConfiguration
        }
    }
}

@Suite struct NetworkInterfaceTests {
    private let loopback = NetworkInterface(name: "lo", addresses: [IPAddress(ipv4: 0x7F00_0001)], isLoopback: true)
    private let first = NetworkInterface(name: "eth0", addresses: [IPAddress(ipv4: 0x0A00_0001)])
    private let second = NetworkInterface(name: "eth1", addresses: [IPAddress(ipv4: 0x0A00_0002)])

    @Test func `the interfaces that have the gateway's addresses are chosen`() {
        let all = [loopback, first, second]
        #expect(NetworkInterface.automatic(all, for: [IPAddress(ipv4: 0x0A00_0002)]) == ["eth1"])
    }

    @Test func `all are chosen when none has them, or none are known`() {
        #expect(NetworkInterface.automatic([loopback, first], for: []) == ["any"])
        #expect(NetworkInterface.automatic([loopback, first], for: [IPAddress(ipv4: 1)]) == ["any"])
    }

    @Test func `the machine's loopback interface is listed with its address`() throws {
        let loopback = try NetworkInterface.all().first { $0.isLoopback }
        #expect(loopback?.name == "lo")
    }
}

@Suite struct CapabilitiesTests {
    @Test func `capabilities are read from the kernel's text`() {
        let status = "Name:\tx\nCapPrm:\t0000000000002001\nCapEff:\t0000000000002000\nCapBnd:\t000001ffffffffff\n"
        let capabilities = Capabilities(status: status, isRoot: false)
        #expect(capabilities?.effective == 0x2000)
        #expect(capabilities?.permitted == 0x2001)
        #expect(capabilities?.mayCapture == true)
    }

    @Test func `root without the capability may not capture`() {
        #expect(Capabilities(status: "CapPrm:\t0\nCapEff:\t0\n", isRoot: true)?.mayCapture == false)
    }

    @Test func `a text without capabilities says nothing`() {
        #expect(Capabilities(status: "Name:\tx\n", isRoot: true) == nil)
    }

    @Test func `the command that grants the capability names this program`() {
        #expect(Capabilities.grantCommand.hasPrefix("sudo setcap cap_net_raw=ep /"))
    }
}

@Suite struct WrappingTotalTests {
    @Test func `what is added is right across the wrap`() {
        var total = WrappingTotal()
        #expect(total.advance(to: 10) == 10)
        #expect(total.advance(to: 10) == 0)
        #expect(total.advance(to: .max) == UInt64(UInt32.max) - 10)
        #expect(total.advance(to: 4) == 5)
    }
}

@Suite struct BackoffTests {
    @Test func `waits double up to a limit, and begin anew after a success`() {
        var backoff = Backoff()
        let waits = (0..<7).map { _ in backoff.next() / .milliseconds(1) }
        #expect(waits == [100, 200, 400, 800, 1600, 2000, 2000])
        backoff.reset()
        #expect(backoff.next() == .milliseconds(100))
    }
}

@Suite struct CaptureLibraryTests {
    @Test func `the library has a version`() {
        #expect(CaptureLibrary.version.hasPrefix("libpcap version 1."))
    }
}
