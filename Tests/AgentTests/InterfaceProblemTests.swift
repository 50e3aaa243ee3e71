// Wingmirror · Apache-2.0

import PacketCapture
import PacketDecoding
import Testing

@testable import Agent

@Suite struct InterfaceProblemTests {
    private func interfaces() throws -> [NetworkInterface] {
        [
            NetworkInterface(name: "eth0", addresses: [try #require(IPAddress("10.0.0.1"))]),
            NetworkInterface(name: "eth1", isUp: false), NetworkInterface(name: "lo", isLoopback: true),
            NetworkInterface(name: "any"), NetworkInterface(name: "nflog"),
        ]
    }

    @Test func `an interface that is not there is named with those that are`() throws {
        let known = try interfaces()
        #expect(
            CaptureSources.problem(of: "eth9", among: known) == "there is no interface eth9 (there are eth0, lo)"
        )
        #expect(CaptureSources.problem(of: "eth1", among: known) == "the interface eth1 is down")
        #expect(CaptureSources.problem(of: "eth0", among: known) == nil)
        #expect(CaptureSources.problem(of: "eth9", among: []) == nil, "nothing is known")
    }

    @Test func `several names in one are refused with how to write them`() throws {
        let failure = #expect(throws: CommandFailure.self) {
            try CaptureSources.refuseList(["lo, eth0"], among: ["lo", "eth0"])
        }
        #expect(failure?.lines.first?.contains("--interface lo --interface eth0") == true)
        #expect(throws: Never.self) { try CaptureSources.refuseList(["lo", "eth9", "a,b"], among: ["lo", "a,b"]) }
    }
}
