// Wingmirror · Apache-2.0

import JSONSyntax
import PacketCapture
import PacketDecoding
import RouteAttribution
import Testing

@testable import Agent
@testable import AgentCommands
@testable import AgentConfiguration

@Suite struct ListeningSocketsTests {
    private static let tcp = """
          sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
           0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 100 1 0 100 0 0 10 0
           1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 101 1 0 100 0 0 10 0
           2: 0500000A:1F90 0600000A:C000 01 00000000:00000000 00:00000000 00000000     0        0 102 1 0 100 0 0 10 0
        nonsense
           3: XYZ:1F90 00000000:0000 0A
        """
    private static let tcp6 = """
          sl  local_address                         remote_address                        st tx_queue rx_queue
           0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000
           1: B80D0120000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000
           2: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 00000000:00000000
        """
    private static let machine = [
        IPAddress(ipv4: 0x7F00_0001), IPAddress(ipv4: 0x0A00_0005), IPAddress(high: 0xFE80 << 48, low: 5),
    ]

    private var sockets: ListeningSockets {
        var sockets = ListeningSockets()
        sockets.add(table: Self.tcp)
        sockets.add(table: Self.tcp6)
        return sockets
    }

    @Test func `only listening sockets are taken, of both families`() {
        #expect(
            sockets.endpoints == [
                Endpoint(address: IPAddress(ipv4: 0x7F00_0001), port: 8080),
                Endpoint(address: IPAddress(ipv4: 0), port: 80),
                Endpoint(address: IPAddress(high: 0, low: 1), port: 8080),
                Endpoint(address: IPAddress(high: 0x2001_0DB8_0000_0000, low: 1), port: 8080),
                Endpoint(address: IPAddress(high: 0, low: 0), port: 22),
            ]
        )
    }

    @Test func `every address means those of the family, and of both for IPv6`() {
        #expect(sockets.addresses(at: 80, of: Self.machine) == Set(Self.machine.prefix(2)))
        #expect(sockets.addresses(at: 22, of: Self.machine) == Set(Self.machine))
        #expect(sockets.addresses(at: 443, of: Self.machine).isEmpty)
    }
}

@Suite struct GatewayExaminationTests {
    private let addresses = [IPAddress(ipv4: 0x0A00_0005), IPAddress(ipv4: 0x0A00_0006), IPAddress(ipv4: 0x7F00_0001)]

    private func findings(listening line: String, addresses configured: [IPAddress] = []) -> [Finding] {
        var gateway = GatewayConfiguration()
        gateway.ports = [GatewayPort(pod: 8080, server: 80)]
        gateway.addresses = configured
        var sockets = ListeningSockets()
        sockets.add(table: "title\n" + line)
        return GatewayExamination(gateway: gateway, sockets: sockets, machineAddresses: addresses).findings()
    }

    @Test func `several addresses that listen on a gateway port are a warning with the remedy`() throws {
        let finding = try #require(findings(listening: " 0: 00000000:1F90 00000000:0000 0A").first)
        #expect(finding.verdict == .warn)
        #expect(finding.detail.contains("10.0.0.5, 10.0.0.6"))
        #expect(finding.remedy?.contains("gateway.addresses") == true)
    }

    @Test(arguments: [" 0: 0500000A:1F90 00000000:0000 0A", " 0: 0100007F:1F90 00000000:0000 0A", ""])
    func `one address, loopback alone or nobody is no warning`(line: String) {
        #expect(findings(listening: line).map(\.verdict) == [.ok])
    }

    @Test func `where the gateway's pods are found nobody else counts, whoever listens`() {
        var sockets = ListeningSockets()
        sockets.add(table: "title\n 0: 00000000:1F90 00000000:0000 0A")
        let examination = GatewayExamination(
            gateway: GatewayConfiguration(),
            sockets: sockets,
            machineAddresses: addresses,
            findsGateways: true
        )
        #expect(examination.findings().map(\.verdict) == [.ok])
        #expect(examination.findings().first?.detail == "those of the gateway's pods on this node, which run finds")
    }

    @Test func `with addresses configured it does not matter who else listens`() {
        let found = findings(listening: " 0: 00000000:1F90 00000000:0000 0A", addresses: [addresses[0]])
        #expect(found.map(\.verdict) == [.ok])
    }
}

@Suite struct CaptureExaminationTests {
    private static func filter(_ change: (inout Configuration) -> Void) -> Finding? {
        var configuration = Configuration()
        configuration.gateway.ports = [GatewayPort(pod: 8080, server: 80), GatewayPort(pod: 8443, server: 443)]
        change(&configuration)
        let examination = CaptureExamination(configuration: configuration, interfaces: [], capabilities: .current)
        return examination.findings().first { $0.subject == "filter" }
    }

    @Test func `the filter in force is shown, derived or written`() {
        let own = "; without the agent's own port 9646"
        #expect(Self.filter { _ in }?.detail == "auto: TCP port 8080, 8443 of any address" + own)
        let addressed = Self.filter { $0.gateway.addresses = [IPAddress(ipv4: 0x0A00_0005)] }
        #expect(addressed?.detail == "auto: TCP port 8080, 8443 of 10.0.0.5" + own)
        let written = Self.filter { $0.capture.filter = .expression("dst port 8080") }
        #expect(written?.detail == "dst port 8080 (capture.filter or --filter)" + own)
        let found = Self.filter { $0.routes.kubernetes.isEnabled = true }
        #expect(found?.detail.hasPrefix("auto: the ports and addresses of the gateway's pods") == true)
    }

    @Test func `the ring is shown in the units of the configuration`() {
        let examination = CaptureExamination(configuration: Configuration(), interfaces: [], capabilities: .current)
        let finding = examination.finding(of: "ring of lo", obtained: 64 << 20, wanted: 64 << 20)
        #expect(finding.detail == "64 MiB of 64 MiB asked for")
    }
}

@Suite struct AgentExaminationTests {
    private static func captures(_ sources: [JSONValue], findsGateways: Bool = true) -> [Finding] {
        AgentExamination.captures(["sources": .array(sources)], findsGateways: findsGateways)
    }

    @Test func `the filter in force is that of the agent that runs`() {
        let found = Self.captures([
            ["interface": "cali1", "up": true, "problem": .null, "filter": "tcp port 8080 and host 10.1.0.7"],
            ["interface": "cali2", "up": false, "problem": "there is no interface cali2", "filter": "tcp"],
        ])
        #expect(found.map(\.verdict) == [.ok, .warn])
        #expect(found.first?.detail == "captures on cali1: tcp port 8080 and host 10.1.0.7")
        #expect(found.last?.detail == "does not capture on cali2: there is no interface cali2")
    }

    @Test func `an agent that has found no pod of a gateway captures nothing, and says so`() {
        let found = Self.captures([])
        #expect(found.map(\.verdict) == [.warn])
        #expect(found.first?.detail == "captures nothing, as it knows of no gateway's pod on this node")
        #expect(Self.captures([], findsGateways: false) == [])
        #expect(Self.captures([["savefile": "a.pcap"]]) == [])
    }

    @Test(arguments: [("", "http://127.0.0.1:9646"), ("admin: {listen: \"[::]:9647\"}", "http://[::1]:9647")])
    func `it is asked where it answers this machine`(yaml: String, address: String) throws {
        let examination = AgentExamination(try Configuration.parse(yaml, file: "w.yaml"))
        #expect(examination.agent?.description == address)
    }
}

@Suite struct ClockExaminationTests {
    private static func status(_ seconds: Double, differs: Bool) -> JSONValue {
        [
            "clockOffsets": [
                [
                    "interface": "eth1", "reference": "eth0", "seconds": .double(seconds),
                    "toleranceSeconds": .double(0.0002), "handshakes": 40, "differs": .bool(differs),
                ]
            ]
        ]
    }

    @Test func `clocks that cannot be the same are a warning that says which is ahead`() throws {
        let finding = try #require(ClockExamination.findings(Self.status(0.0123, differs: true)).first)
        #expect(finding.verdict == .warn)
        #expect(finding.subject == "clocks of eth0, eth1")
        #expect(finding.detail.hasPrefix("eth1 is 12.3 ms ahead, give or take 200 µs, by 40 handshakes"))
        let behind = try #require(ClockExamination.findings(Self.status(-0.5, differs: true)).first)
        #expect(behind.detail.hasPrefix("eth1 is 500 ms behind"))
    }

    @Test(arguments: [(0.0123, false), (0.0002, true)])
    func `clocks that may be the same, or nearly are, are no warning`(seconds: Double, differs: Bool) {
        #expect(ClockExamination.findings(Self.status(seconds, differs: differs)).map(\.verdict) == [.ok])
    }

    @Test func `an agent that has nothing to compare, or is older, says nothing`() {
        #expect(ClockExamination.findings(["clockOffsets": []]) == [])
        #expect(ClockExamination.findings([:]) == [])
    }
}

@Suite struct FindingTests {
    @Test func `findings are aligned and remedies stand below`() {
        let findings = [
            Finding(verdict: .ok, subject: "interface eth0", detail: "up"),
            Finding(verdict: .fail, subject: "capture", detail: "CAP_NET_RAW is missing", remedy: "sudo setcap …"),
        ]
        #expect(
            findings.lines(.plain) == [
                "ok    interface eth0  up",
                "fail  capture         CAP_NET_RAW is missing",
                "                      → sudo setcap …",
            ]
        )
    }
}
