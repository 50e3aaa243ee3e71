// Wingmirror · Apache-2.0

import JSONSyntax
import KubernetesObjects
import Logging
import TestServers
import TestSupport
import Testing

/// The answers of a real API server, replayed over a socket.
@Suite(.timeLimit(.minutes(20)))
struct TranscriptTests {
    private static let withFinalState = [
        "crd-created-while-watching", "expired-continue", "forbidden", "large-event", "list-gzip", "list-watch",
        "object-replaced", "pods-metadata-only", "pods-on-node", "server-killed", "server-stopped",
        "services-endpointslices", "watch-bookmarks", "watch-expired", "watch-list", "watch-list-old-etcd",
        "watch-timeout-rewatch",
    ]

    @Test func `no transcript with a final state is left out`() throws {
        let names = try Transcript.names.filter { try !Transcript($0).finalState.isEmpty }
        #expect(Set(names) == Set(Self.withFinalState))
    }

    @Test(arguments: withFinalState, [0, 0.01, 0.1])
    func `a replayed transcript ends in its final state at any speed`(name: String, speed: Double) async throws {
        try await replay(name, speed: speed, cut: .asRecorded)
    }

    @Test(arguments: withFinalState, [1, 2, 7, 1000])
    func `a replayed transcript ends in its final state wherever its bodies are cut`(name: String, size: Int)
        async throws
    {
        try await replay(name, speed: 0, cut: .every(size))
    }

    @Test(
        .enabled(if: TestCertificate.canBeMade, "openssl is not installed"),
        arguments: ["list-gzip", "server-killed"]
    )
    func `a replayed transcript ends in its final state over TLS`(name: String) async throws {
        let certificate = try TestCertificate(for: "kubernetes.default.svc")
        defer { certificate.remove() }
        try await replay(name, speed: 0, cut: .asRecorded, tls: certificate)
    }

    private func replay(
        _ name: String,
        speed: Double,
        cut: TranscriptReplay.Cut,
        tls: TestCertificate? = nil
    ) async throws {
        let transcript = try Transcript(name)
        let replay = TranscriptReplay(transcript, speed: speed, cut: cut)
        let server = try await TestAPIServer(tls: tls) { replay.answer($0) }
        for (target, objects) in transcript.finalState {
            let wanted = Set(objects.map(Held.init))
            let collection = Self.collection(target, in: transcript)
            let rig = WatchRig(server, collection, streams: name.hasPrefix("watch-list"), tls: tls)
            var held: Set<Held>?
            await rig.run { store in
                func isThere() -> Bool {
                    held = store[collection].map { Set($0.objects.map(Held.init)) }
                    return held == wanted
                }
                // The list may be in that state already, before an object of the watch comes and goes.
                await rig.until(isThere)
                try? await Task.sleep(for: .milliseconds(100))
                await rig.until(isThere)
            }
            #expect(held == wanted, "\(name) \(target)")
        }
        await server.close()
    }

    private static func collection(_ target: String, in transcript: Transcript) -> ResourceCollection {
        let (path, parameters) = ReceivedAPIRequest.parts(of: target)
        let parts = path.split(separator: "/").map(String.init)
        let isCore = parts[0] == "api"
        let resource = GroupVersionResource(
            group: isCore ? "" : parts[1],
            version: isCore ? parts[1] : parts[2],
            resource: parts[parts.count - 1]
        )
        return ResourceCollection(
            resource,
            kind: "Any",
            labelSelector: parameters["labelSelector"] ?? "",
            fieldSelector: parameters["fieldSelector"] ?? "",
            isMetadataOnly: transcript.name == "pods-metadata-only"
        )
    }
}

/// What the final state of a transcript says of an object.
private struct Held: Hashable {
    let namespace: String
    let name: String
    let uid: String
    let resourceVersion: String

    init(_ object: JSONValue) {
        namespace = object["namespace"]?.stringValue ?? ""
        name = object["name"]?.stringValue ?? ""
        uid = object["uid"]?.stringValue ?? ""
        resourceVersion = object["resourceVersion"]?.stringValue ?? ""
    }

    init(_ entry: (key: ObjectKey, value: StoredObject)) {
        namespace = entry.key.namespace
        name = entry.key.name
        uid = entry.value.uid
        resourceVersion = entry.value.resourceVersion
    }
}
