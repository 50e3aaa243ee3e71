// Wingmirror · Apache-2.0

import Synchronization
import TestServers
import Testing

@testable import KubernetesObjects

/// What all watches of a server know of streaming lists.
@Suite(.timeLimit(.minutes(20)))
struct StreamingSupportTests {
    private static let collection = ResourceCollection(
        GroupVersionResource(group: "networking.istio.io", version: "v1", resource: "gateways"),
        kind: "Gateway"
    )

    @Test func `a watch that began before streaming lists were known does not say that they are refused`()
        async throws
    {
        let support = Mutex<StreamingSupport?>(nil)
        let watches = Mutex(0)
        let server = try await TestAPIServer { request in
            guard request.parameters["watch"] != nil else {
                return .answer(200, "{\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[]}")
            }
            support.withLock { $0?.found() }
            let count = watches.withLock { count in
                count += 1
                return count
            }
            guard count == 1 else { return AsyncStream { $0.yield(.octets(AsyncStream<ServerStep>.chunkedHead)) } }
            let bookmark = "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"8\"}}}\n"
            return .steps([
                .octets(AsyncStream<ServerStep>.chunkedHead + AsyncStream<ServerStep>.chunk(Array(bookmark.utf8))),
                .octets(AsyncStream<ServerStep>.lastChunk),
            ])
        }
        let rig = WatchRig(server, Self.collection)
        support.withLock { $0 = rig.streaming }
        await rig.run { store in
            await rig.until { (store[Self.collection]?.counts.requests ?? 0) >= 3 }
            #expect(rig.streaming.isOffered)
        }
        await server.close()
    }
}
