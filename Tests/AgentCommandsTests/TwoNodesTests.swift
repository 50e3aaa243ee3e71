// Wingmirror · Apache-2.0

import Testing

/// Clients that reach the gateway's pod by another node, with an agent on each of the two.
///
/// `Fixtures/two_nodes_check.py` makes the nodes of network namespaces.
@Suite(
    .enabled(
        if: TwoNodes.areAvailable,
        "needs root that may make network namespaces, iproute2, nftables, the kernel's VXLAN, python3 and the program"
    ),
    .timeLimit(.minutes(10))
)
struct TwoNodesTests {
    @Test(arguments: ["host-gw", "host-gw-masqueraded", "vxlan"])
    func `a request that one node forwards to a gateway on another is counted once in sum`(
        arrangement: String
    ) throws {
        let (status, output) = try AgentProgram.check("two_nodes_check.py", [arrangement])
        #expect(status == 0, "\(output)")
    }
}

private enum TwoNodes {
    static let areAvailable =
        AgentProgram.isBuilt && (try? AgentProgram.check("two_nodes_check.py", ["available"]).status) == 0
}
