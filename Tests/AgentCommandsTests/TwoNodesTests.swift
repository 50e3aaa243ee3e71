// Wingmirror · Apache-2.0

import TestSupport
import Testing

/// Clients that reach the gateway's pod by another node, with an agent on each of the two.
///
/// `Fixtures/two_nodes_check.py` makes the nodes of network namespaces.
@Suite(
    .enabled(
        if: TwoNodes.areAvailable,
        "needs root that may make network namespaces, iproute2, nftables, the kernel's VXLAN, python3 and the program"
    ),
    .timeLimit(.minutes(20))
)
struct TwoNodesTests {
    @Test(arguments: ["host-gw", "host-gw-masqueraded", "vxlan"])
    func `a request that one node forwards to a gateway on another is counted once in sum`(
        arrangement: String
    ) async throws {
        let run = try await AgentProgram.check("two_nodes_check.py", [arrangement])
        #expect(run.status == 0, "\(run.text)")
    }
}

private enum TwoNodes {
    static let areAvailable =
        AgentProgram.canBeChecked
        && ExternalProgram(fixture: "two_nodes_check.py").succeeds(AgentProgram.words + ["available"])
}
