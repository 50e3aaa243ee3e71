// Wingmirror · Apache-2.0

import Testing

@testable import ShadowTesting

@Suite struct TargetGuardTests {
    private let production = TargetGuard(
        productionNames: ["product-service.default.svc.cluster.local", "Shop.Example.COM", "*.api.example.com", "*"],
        productionAddresses: [NetworkAddressTests.v4(10, 96, 0, 7)],
        gatewayAddresses: [NetworkAddressTests.v4(10, 0, 0, 5)],
        capturedPorts: [8080, 8443],
        ownPorts: [9646]
    )

    private func target(_ host: String, port: Int = 80, hosts: [String] = []) -> MirrorTarget {
        MirrorTarget(name: "staging", host: host, port: port, hosts: hosts)
    }

    // MARK: - Names

    @Test(arguments: [
        ("product-service.default.svc.cluster.local", true), ("product-service.default.svc.cluster.local.", true),
        ("product-service.default.svc", true), ("product-service.default", true), ("product-service", true),
        ("PRODUCT-service.default", true), ("product-service.staging.svc.cluster.local", false),
        ("product-service.staging", false), ("product-service.default.example.com", false),
        ("shop.example.com", true), ("shop", false), ("staging.shop.example.com", false), ("example.com", false),
        ("v1.api.example.com", true), ("api.example.com", false), ("staging.example.internal", false), ("svc", false),
    ])
    func `hosts of production are refused in every form that resolves`(host: String, isRefused: Bool) {
        #expect((production.refusal(of: target(host)) != nil) == isRefused)
    }

    @Test func `a host outside the target's own list is refused, and the sentence says which`() {
        let refusal = production.refusal(of: target("other.internal", hosts: ["staging.internal"]))
        #expect(refusal == "target staging: other.internal is not among the hosts that it may be sent to")
        #expect(production.refusal(of: target("Staging.internal.", hosts: ["staging.internal"])) == nil)
        #expect(production.refusal(of: target("anything.internal", hosts: [])) == nil)
    }

    // MARK: - A cluster

    @Test(arguments: [
        ("cart.shop", 5, [], true), ("cart.shop.svc", 5, [], true), ("cart.shop", 5, ["cart.shop"], false),
        ("10.1.0.9", 9, [], true), ("10.1.0.9", 9, ["10.1.0.9"], false),
        ("other.internal", 9, ["other.internal"], false),
        ("other.internal", 9, [], true), ("other.internal", 5, [], false),
    ])
    func `Services, pods and nodes of the cluster are refused unless the target lists them`(
        host: String,
        last: UInt8,
        hosts: [String],
        isRefused: Bool
    ) {
        let cluster = TargetGuard(
            clusterNames: ["cart.shop", "cart.shop.svc"],
            clusterAddresses: [NetworkAddressTests.v4(10, 1, 0, 9)]
        )
        let address = NetworkAddressTests.v4(10, 1, 0, last)
        let refusal = cluster.refusal(of: target(host, hosts: hosts), resolvedTo: [address])
        #expect((refusal != nil) == isRefused)
        #expect(refusal?.hasSuffix("list it in mirror.targets.staging.hosts") ?? true)
    }

    // MARK: - Addresses

    private static let refused: [(NetworkAddress, port: Int, isRefused: Bool)] = [
        (NetworkAddressTests.v4(10, 0, 0, 5), 8080, true),
        (NetworkAddressTests.v4(10, 0, 0, 5), 9000, false),
        (NetworkAddressTests.v4(10, 96, 0, 7), 9000, true),
        (NetworkAddressTests.v4(10, 96, 0, 8), 8080, false),
        (NetworkAddressTests.v4(127, 0, 0, 1), 8080, true),
        (NetworkAddressTests.v4(127, 9, 9, 9), 9000, false),
        (NetworkAddress(high: 0, low: 1), 8443, true),
        (NetworkAddress(high: 0, low: 1), 9000, false),
        (NetworkAddressTests.v4(169, 254, 169, 254), 80, true),
        (NetworkAddressTests.v4(169, 254, 0, 1), 80, true),
        (NetworkAddressTests.v4(169, 255, 0, 1), 80, false),
        (NetworkAddressTests.v4(100, 100, 100, 200), 80, true),
        (NetworkAddress(high: 0xFE80_0000_0000_0000, low: 1), 80, true),
        (NetworkAddress(high: 0, low: 0xFFFF_A83F_8110), 80, true),
        (NetworkAddress(high: 0xFD00_0EC2_0000_0000, low: 0x23), 80, true),
        (NetworkAddress(high: 0xFD20_00CE_0000_0000, low: 0x254), 80, true),
        (NetworkAddress(high: 0xFD00_00C1_0000_0000, low: 0xA9FE_A9FE), 80, true),
        (NetworkAddress(high: 0xFD00_00C1_0000_0000, low: 0xA9FE_A9FD), 80, false),
        (NetworkAddress(high: 0xFEC0_0000_0000_0000, low: 1), 80, false),
        (NetworkAddress(high: 0xFD00_0EC2_0000_0000, low: 0x254), 80, true),
        (NetworkAddress(high: 0x0064_FF9B_0000_0000, low: 0xA9FE_A9FE), 80, true),
        (NetworkAddress(high: 0, low: 0xA9FE_A9FE), 80, true),
        (NetworkAddress(high: 0x2002_A9FE_A9FE_0000, low: 1), 80, true),
        (NetworkAddress(high: 0x0064_FF9B_0001_A9FE, low: 0x00A9_FE00_0000_0000), 80, true),
        (NetworkAddress(high: 0, low: 0x0A60_0007), 9000, true),
        (NetworkAddress(high: 0x2002_0A00_0005_0000, low: 0), 8080, true),
        (NetworkAddressTests.v4(127, 0, 0, 1), 9646, true),
        (NetworkAddress(high: 0, low: 1), 9646, true),
        (NetworkAddressTests.v4(10, 9, 9, 9), 9646, false),
        (NetworkAddressTests.v4(0, 0, 0, 0), 80, true),
        (NetworkAddress(high: 0, low: 0), 80, true),
        (NetworkAddressTests.v4(224, 0, 0, 1), 80, true),
        (NetworkAddressTests.v4(255, 255, 255, 255), 80, true),
        (NetworkAddress(high: 0xFF02_0000_0000_0000, low: 1), 80, true),
        (NetworkAddress(high: 0x2001_0DB8_0000_0000, low: 1), 8080, false),
    ]

    @Test(arguments: refused.indices)
    func `addresses where shadow traffic must not go are refused`(number: Int) {
        let (address, port, isRefused) = Self.refused[number]
        let refusal = production.refusal(of: target("staging.internal", port: port), resolvedTo: [address])
        #expect((refusal != nil) == isRefused, "\(address):\(port) \(refusal ?? "")")
    }

    @Test func `one refused address refuses the target, and is named`() {
        let addresses = [NetworkAddressTests.v4(192, 0, 2, 1), NetworkAddressTests.v4(10, 96, 0, 7)]
        let refusal = production.refusal(of: target("staging.internal"), resolvedTo: addresses)
        #expect(
            refusal == "target staging: staging.internal resolves to 10.96.0.7, which is a Service or pod of production"
        )
        #expect(production.refusal(of: target("staging.internal"), resolvedTo: [addresses[0]]) == nil)
        #expect(production.refusal(of: target("staging.internal"), resolvedTo: []) == nil)
    }

    @Test func `a name that is refused stays refused wherever it resolves`() {
        let addresses = [NetworkAddressTests.v4(192, 0, 2, 1)]
        #expect(production.refusal(of: target("shop.example.com"), resolvedTo: addresses) != nil)
    }
}

@Suite struct NetworkAddressTests {
    static func v4(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) -> NetworkAddress {
        NetworkAddress(octets: [a, b, c, d]) ?? NetworkAddress(high: 0, low: 0)
    }

    @Test func `addresses are made of the octets that resolvers give`() {
        #expect(Self.v4(192, 0, 2, 1) == NetworkAddress(high: 0, low: 0xFFFF_C000_0201))
        let octets: [UInt8] = [0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
        #expect(NetworkAddress(octets: octets) == NetworkAddress(high: 0x2001_0DB8_0000_0000, low: 1))
        #expect(NetworkAddress(octets: [1, 2, 3]) == nil)
        #expect(NetworkAddress(octets: [UInt8]()) == nil)
    }

    @Test func `addresses are named in decimals, or as RFC 5952 has them`() {
        #expect(Self.v4(192, 0, 2, 1).description == "192.0.2.1")
        #expect(NetworkAddress(high: 0x2001_0DB8_0000_0000, low: 1).description == "2001:db8::1")
    }
}
