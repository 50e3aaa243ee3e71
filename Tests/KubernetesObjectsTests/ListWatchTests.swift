// Wingmirror · Apache-2.0

import Foundation
import JSONSyntax
import Synchronization
import TestServers
import TestSupport
import Testing

@testable import KubernetesObjects

/// What a client of list and watch must survive, told by a scripted API server.
@Suite(.timeLimit(.minutes(20)))
struct ListWatchTests {
    private static let collection = ResourceCollection(
        GroupVersionResource(group: "networking.istio.io", version: "v1", resource: "virtualservices"),
        kind: "VirtualService"
    )

    private static func object(_ name: String, _ version: Int, uid: String = "u", namespace: String = "default")
        -> String
    {
        """
        {"metadata":{"name":"\(name)","namespace":"\(namespace)","uid":"\(uid)","resourceVersion":"\(version)",\
        "managedFields":[{"x":1}]},"spec":{"hosts":["ü"]},"status":{"a":1}}
        """
    }

    private static func list(_ version: Int, _ objects: String..., next: String = "") -> AsyncStream<ServerStep> {
        .answer(
            200,
            """
            {"kind":"VirtualServiceList","apiVersion":"networking.istio.io/v1","items":[\(objects.joined(separator: ","))],\
            "metadata":{"resourceVersion":"\(version)","continue":"\(next)"}}
            """
        )
    }

    private static func event(_ type: String, _ object: String) -> String {
        "{\"type\":\"\(type)\",\"object\":\(object)}\n"
    }

    private static func bookmark(_ version: Int, ends: Bool = false) -> String {
        let annotations = ends ? ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}" : ""
        return event("BOOKMARK", "{\"metadata\":{\"resourceVersion\":\"\(version)\"\(annotations)}}")
    }

    /// A watch with these events, which the server ends.
    private static func watch(_ events: String..., ends: Bool = true) -> AsyncStream<ServerStep> {
        let body = Array(events.joined().utf8)
        var octets = AsyncStream<ServerStep>.chunkedHead
        if !body.isEmpty { octets += AsyncStream<ServerStep>.chunk(body) }
        if ends { octets += AsyncStream<ServerStep>.lastChunk }
        guard !ends else { return .steps([.octets(octets)]) }
        return AsyncStream { [octets] in $0.yield(.octets(octets)) }
    }

    /// Runs a watch against answers in this order; behind the last one every watch stays open and silent.
    private func run(
        _ answers: [AsyncStream<ServerStep>],
        streams: Bool = false,
        access: (inout ClusterAccess) -> Void = { _ in },
        isOver: @escaping @Sendable (ObjectStore) -> Bool = { _ in false },
        until isMet: @escaping @Sendable ([ReceivedAPIRequest], ObjectStore) -> Bool
    ) async throws -> (requests: [ReceivedAPIRequest], rig: WatchRig) {
        let script = Script(answers)
        let server = try await TestAPIServer { script.answer($0) }
        let rig = WatchRig(server, Self.collection, streams: streams, access, isOver: isOver)
        await rig.run { store in await rig.until { isMet(script.received, store) } }
        await server.close()
        return (script.received, rig)
    }

    private final class Script: Sendable {
        private let answers: Mutex<[AsyncStream<ServerStep>]>
        private let requests = Mutex<[ReceivedAPIRequest]>([])

        init(_ answers: [AsyncStream<ServerStep>]) { self.answers = Mutex(answers) }

        var received: [ReceivedAPIRequest] { requests.withLock { $0 } }

        func answer(_ request: ReceivedAPIRequest) -> AsyncStream<ServerStep> {
            requests.withLock { $0.append(request) }
            return answers.withLock { $0.isEmpty ? nil : $0.removeFirst() } ?? ListWatchTests.watch(ends: false)
        }
    }

    private static func names(_ store: ObjectStore) -> [String] {
        (store[collection]?.objects.keys.map { "\($0.namespace)/\($0.name)" } ?? []).sorted()
    }

    // MARK: - Lists

    @Test func `the first list asks the cache, and the watch continues from the version of the list`() async throws {
        let (requests, _) = try await run([Self.list(7, Self.object("a", 3))]) { requests, _ in requests.count >= 2 }
        #expect(requests[0].parameters["resourceVersion"] == "0" && requests[0].parameters["watch"] == nil)
        #expect(requests[0].values(of: "accept-encoding") == ["gzip"])
        #expect(requests[1].parameters["resourceVersion"] == "7" && requests[1].parameters["watch"] == "1")
        #expect(requests[1].parameters["allowWatchBookmarks"] == "true")
        let seconds = requests[1].parameters["timeoutSeconds"].flatMap { Int($0) } ?? 0
        #expect((300...600).contains(seconds))
    }

    @Test func `pages of one list come together before anything is replaced`() async throws {
        let (requests, rig) = try await run([
            Self.list(7, Self.object("a", 3), next: "token+/="), Self.list(7, Self.object("b", 4)),
        ]) { requests, _ in requests.count >= 3 }
        #expect(requests[1].parameters["continue"] == "token+/=")
        #expect(requests[1].parameters["resourceVersion"] == nil)
        #expect(Self.names(rig.store) == ["default/a", "default/b"])
    }

    @Test func `a page that has expired begins the list again, and mixes no pages`() async throws {
        let (requests, rig) = try await run([
            Self.list(7, Self.object("a", 3), next: "t"), .answer(410, "{\"code\":410,\"reason\":\"Expired\"}"),
            Self.list(9, Self.object("b", 4)),
        ]) { requests, _ in requests.count >= 4 }
        #expect(requests[2].parameters["resourceVersion"] == nil && requests[2].parameters["continue"] == nil)
        #expect(Self.names(rig.store) == ["default/b"])
    }

    @Test func `a kind that is not served holds nothing, and is followed once it is`() async throws {
        let (_, rig) = try await run([
            .answer(404, "404 page not found\n", type: "text/plain"), Self.list(9, Self.object("b", 4)),
        ]) { requests, _ in requests.count >= 3 }
        #expect(Self.names(rig.store) == ["default/b"])
        #expect(rig.pauses.withLock { $0.first ?? .zero } >= .seconds(120))
        #expect(rig.store[Self.collection]?.counts.troubles[.absent] == 1)
    }

    @Test func `a 404 of what stands before the API server empties nothing`() async throws {
        let lost = AsyncStream<ServerStep>.answer(404, "default backend - 404", type: "text/plain")
        let again = AsyncStream<ServerStep>.answer(404, "default backend - 404", type: "text/plain")
        let (requests, rig) = try await run([
            Self.list(7, Self.object("a", 3)), .answer(410, "{\"code\":410}"), lost, again,
        ]) { requests, store in
            requests.count >= 4 && store[Self.collection]?.counts.troubles[.refused] == 1
        }
        #expect(requests[3].path == "/version")
        #expect(Self.names(rig.store) == ["default/a"])
        #expect(rig.store[Self.collection]?.counts.troubles[.absent] == nil)
    }

    @Test func `a kind that is held and not served any more, as discovery says too, holds nothing`() async throws {
        let (requests, rig) = try await run([
            Self.list(7, Self.object("a", 3)), .answer(410, "{\"code\":410}"), .answer(404, "404 page not found\n"),
            .answer(200, "{\"minor\":\"31\"}"), .answer(200, "{\"resources\":[{\"name\":\"gateways\"}]}"),
            .answer(200, "{\"minor\":\"31\"}"),
        ]) { _, store in store[Self.collection]?.counts.troubles[.absent] == 1 }
        #expect(requests[4].path == "/apis/networking.istio.io/v1")
        #expect(Self.names(rig.store).isEmpty)
    }

    @Test func `a 404 for a kind that every API server serves is a refusal, and asked again soon`() async throws {
        let services = ResourceCollection(
            GroupVersionResource(group: "", version: "v1", resource: "services"),
            kind: "Service"
        )
        let script = Script([
            .answer(404, "default backend - 404", type: "text/plain"), Self.list(7, Self.object("a", 3)),
        ])
        let server = try await TestAPIServer { script.answer($0) }
        let rig = WatchRig(server, services)
        await rig.run { store in await rig.until { store[services]?.objects.count == 1 } }
        await server.close()
        #expect(rig.store[services]?.counts.troubles == [.refused: 1])
        #expect(rig.pauses.withLock { $0.first } == .milliseconds(1200))
    }

    @Test func `objects keep what routing needs and nothing that only managers read`() async throws {
        let (_, rig) = try await run([Self.list(7, Self.object("a", 3))]) { requests, _ in requests.count >= 2 }
        let object = try #require(rig.store[Self.collection]?.objects.values.first)
        #expect(object.value["kind"]?.stringValue == "VirtualService")
        #expect(object.value["apiVersion"]?.stringValue == "networking.istio.io/v1")
        #expect(object.value["spec"]?["hosts"]?.arrayValue?.first?.stringValue == "ü")
        #expect(object.value["status"] == nil && object.value["metadata"]?["managedFields"] == nil)
    }

    // MARK: - Expired versions

    @Test(arguments: [
        "{\"code\":410}", "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"reason\":\"Expired\",\"code\":410}",
    ])
    func `a version that has expired, said in the stream, is listed anew from the store`(status: String) async throws {
        let (requests, rig) = try await run([
            Self.list(7, Self.object("a", 3), Self.object("b", 4)),
            Self.watch(Self.bookmark(12), Self.event("ERROR", status)), Self.list(20, Self.object("a", 3)),
        ]) { requests, _ in requests.count >= 4 }
        #expect(requests[2].parameters["watch"] == nil && requests[2].parameters["resourceVersion"] == nil)
        #expect(requests[3].parameters["resourceVersion"] == "20")
        // What was deleted while nobody watched is gone.
        #expect(Self.names(rig.store) == ["default/a"])
    }

    @Test func `a version that has expired, said as the status, is listed anew from the store`() async throws {
        let (requests, _) = try await run([
            Self.list(7), .answer(410, "{\"code\":410}"), Self.list(20),
        ]) { requests, _ in requests.count >= 4 }
        #expect(requests[2].parameters["watch"] == nil && requests[2].parameters["resourceVersion"] == nil)
    }

    // MARK: - Watches that end

    @Test func `a watch that ended continues behind its last event or bookmark, without a list`() async throws {
        let (requests, rig) = try await run([
            Self.list(7), Self.watch(Self.event("ADDED", Self.object("a", 9))), Self.watch(Self.bookmark(15)),
        ]) { requests, _ in requests.count >= 4 }
        #expect(requests.map { $0.parameters["resourceVersion"] } == ["0", "7", "9", "15"])
        #expect(rig.pauses.withLock { $0 } == [])
    }

    @Test func `an error in the stream waits and watches again from the same version`() async throws {
        let (requests, rig) = try await run([
            Self.list(7), Self.watch(Self.event("ADDED", Self.object("a", 9)), Self.event("ERROR", "{\"code\":500}")),
        ]) { requests, _ in requests.count >= 3 }
        #expect(requests[2].parameters["resourceVersion"] == "9" && requests[2].parameters["watch"] == "1")
        #expect(rig.pauses.withLock { $0 } == [.milliseconds(1200)])
    }

    @Test func `empty watches that end at once are no storm, and are listed anew in the end`() async throws {
        let (requests, rig) = try await run([
            Self.list(7), Self.watch(), Self.watch(), Self.watch(), Self.list(8),
        ]) { requests, _ in requests.count >= 6 }
        #expect(requests[4].parameters["watch"] == nil)
        #expect(rig.pauses.withLock { $0 } == [.milliseconds(1200), .milliseconds(2400), .milliseconds(4800)])
    }

    @Test func `watches that a proxy cuts after some seconds go on within a second, without a list`() async throws {
        let time = HandClock()
        let script = Script([Self.list(7)])
        let server = try await TestAPIServer { request in
            guard request.parameters["watch"] != nil, script.received.count < 11 else { return script.answer(request) }
            _ = script.answer(request)
            time.advance(nanoseconds: 20_000_000_000)
            return .steps([.octets(AsyncStream<ServerStep>.chunkedHead), .close])
        }
        let rig = WatchRig(server, Self.collection, time: time)
        await rig.run { store in
            await rig.until { script.received.count >= 12 && store.troubledSince == nil }
        }
        await server.close()
        #expect(script.received.filter { $0.parameters["watch"] == nil }.count == 1)
        let pauses = rig.pauses.withLock(\.self)
        #expect(pauses.count == 10 && pauses.allSatisfy { $0 <= .seconds(1) })
    }

    @Test func `an object whose new version differs in nothing that is kept is no change`() async throws {
        let silent = try await run([Self.list(7, Self.object("a", 3)), Self.watch(Self.bookmark(8))]) { requests, _ in
            requests.count >= 3
        }
        let (requests, rig) = try await run([
            Self.list(7, Self.object("a", 3)), Self.watch(Self.event("MODIFIED", Self.object("a", 9))),
            .answer(410, "{\"code\":410}"), Self.list(20, Self.object("a", 9)),
        ]) { requests, _ in requests.count >= 5 }
        #expect(requests[2].parameters["resourceVersion"] == "9")
        #expect(rig.store.generation == silent.1.store.generation)
        let (_, changed) = try await run([
            Self.list(7, Self.object("a", 3)), Self.watch(Self.event("MODIFIED", Self.object("a", 9, uid: "new"))),
        ]) { requests, _ in requests.count >= 3 }
        #expect(changed.store.generation == rig.store.generation + 1)
    }

    @Test func `a connection that breaks inside an event loses only that event`() async throws {
        let whole = Self.event("ADDED", Self.object("a", 9))
        let half = Array(Self.event("MODIFIED", Self.object("a", 10)).utf8.prefix(30))
        let (requests, rig) = try await run([
            Self.list(7),
            .steps([
                .octets(AsyncStream<ServerStep>.chunkedHead + AsyncStream<ServerStep>.chunk(Array(whole.utf8))),
                .octets(Array("ff\r\n".utf8) + half), .close,
            ]),
        ]) { requests, _ in requests.count >= 3 }
        #expect(requests[2].parameters["resourceVersion"] == "9" && requests[2].parameters["watch"] == "1")
        #expect(rig.store[Self.collection]?.objects.values.first?.resourceVersion == "9")
    }

    @Test func `a connection on which nothing comes any more is given up at its time limit`() async throws {
        let (requests, rig) = try await run(
            [
                Self.list(7), Self.watch(Self.event("ADDED", Self.object("a", 9)), ends: false),
            ],
            isOver: { $0[Self.collection]?.objects.values.first?.resourceVersion == "9" },
            until: { requests, _ in requests.count >= 3 }
        )
        #expect(requests[2].parameters["resourceVersion"] == "9" && requests[2].parameters["watch"] == "1")
        #expect((rig.store[Self.collection]?.counts.troubles[.timeout] ?? 0) >= 1)
    }

    // MARK: - Refusals

    @Test func `too many requests waits as long as the server says and asks the same again`() async throws {
        let busy = AsyncStream<ServerStep>.answer(429, "Too many", type: "text/plain", fields: [("Retry-After", "7")])
        let (requests, rig) = try await run([Self.list(7), busy]) { requests, _ in requests.count >= 3 }
        #expect(requests[2].parameters["resourceVersion"] == "7" && requests[2].parameters["watch"] == "1")
        #expect(rig.pauses.withLock { $0 } == [.milliseconds(7875)])
    }

    @Test(arguments: [500, 503, 504, 403]) func `a refusal that may pass waits and asks the same again`(
        status: Int
    ) async throws {
        let (requests, rig) = try await run([Self.list(7), .answer(status, "{}")]) { requests, _ in requests.count >= 3
        }
        #expect(requests[2].parameters["resourceVersion"] == "7" && requests[2].parameters["watch"] == "1")
        #expect(rig.pauses.withLock { $0.count } == 1)
    }

    @Test func `a server behind the version asked for is listed without one`() async throws {
        let tooLarge = "{\"code\":504,\"details\":{\"causes\":[{\"reason\":\"ResourceVersionTooLarge\"}]}}"
        let (requests, _) = try await run([.answer(504, tooLarge), Self.list(7)]) { requests, _ in requests.count >= 3 }
        #expect(requests[1].parameters["resourceVersion"] == nil)
    }

    @Test func `a refused token is read again at once, and a removed one stays in use`() async throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("first\n", to: "token")
        let script = Script([.answer(401, "{}"), Self.list(7), Self.watch(Self.bookmark(8))])
        let server = try await TestAPIServer { request in
            switch request.values(of: "authorization") {
            case ["Bearer first"]: _ = try? folder.write("second", to: "token")
            default: _ = try? folder.write("", to: "token")
            }
            return script.answer(request)
        }
        let rig = WatchRig(server, Self.collection) { $0.tokenFile = path }
        await rig.run { _ in await rig.until { script.received.count >= 4 } }
        await server.close()
        let tokens = script.received.flatMap { $0.values(of: "authorization") }
        #expect(tokens == ["Bearer first", "Bearer second", "Bearer second", "Bearer second"])
        #expect(rig.pauses.withLock { $0 } == [])
    }

    @Test(.enabled(if: TestCertificate.canBeMade, "openssl is not installed"))
    func `authorities that are replaced are taken up for new connections`() async throws {
        let (right, wrong) = (try TestCertificate(for: "a.test"), try TestCertificate(for: "b.test"))
        defer {
            right.remove()
            wrong.remove()
        }
        let folder = try TemporaryFolder()
        let path = try folder.write(
            try String(contentsOf: wrong.folder.appending(path: "authority.pem"), encoding: .utf8),
            to: "ca"
        )
        let script = Script([Self.list(7, Self.object("a", 3))])
        let server = try await TestAPIServer(tls: right) { script.answer($0) }
        let rig = WatchRig(server, Self.collection) { $0.authorityFile = path }
        await rig.run { store in
            await rig.until { (store[Self.collection]?.counts.troubles.values.reduce(0, +) ?? 0) > 0 }
            _ = try? folder.write(
                (try? String(contentsOf: right.folder.appending(path: "authority.pem"), encoding: .utf8)) ?? "",
                to: "ca"
            )
            await rig.until { Self.names(store) == ["default/a"] }
        }
        await server.close()
        #expect(Self.names(rig.store) == ["default/a"])
    }

    // MARK: - Objects

    @Test func `an event over the limit is passed over and counted, and the next one counts`() async throws {
        let huge = String(repeating: "x", count: 3 << 20)
        let (_, rig) = try await run([
            Self.list(7),
            Self.watch(
                Self.event("ADDED", "{\"metadata\":{\"name\":\"huge\",\"x\":\"\(huge)\"}}"),
                Self.event("ADDED", Self.object("a", 9))
            ),
        ]) { requests, _ in requests.count >= 3 }
        #expect(Self.names(rig.store) == ["default/a"])
        #expect(rig.store[Self.collection]?.counts.oversized == 1)
    }

    /// An object whose status is nested too deep to be read.
    private static func deep(_ version: Int) -> String {
        let status = String(repeating: "{\"a\":", count: 70) + "1" + String(repeating: "}", count: 70)
        return """
            {"metadata":{"name":"deep","namespace":"shop","uid":"d","resourceVersion":"\(version)"},"status":\(status)}
            """
    }

    @Test(arguments: [false, true])
    func `an object that cannot be read is passed over, counted and named, and keeps no other from coming`(
        streams: Bool
    ) async throws {
        let first =
            streams
            ? Self.watch(
                Self.event("ADDED", Self.deep(3)),
                Self.event("ADDED", Self.object("a", 3)),
                Self.bookmark(7, ends: true)
            ) : Self.list(7, Self.deep(3), Self.object("a", 3))
        let (requests, rig) = try await run([first], streams: streams) { requests, _ in requests.count >= 2 }
        #expect(Self.names(rig.store) == ["default/a"] && requests[1].parameters["resourceVersion"] == "7")
        let state = try #require(rig.store[Self.collection])
        #expect(state.counts.oversized == 1 && state.counts.troubles.isEmpty)
        #expect(Array(state.passedOver.keys) == [ObjectKey(namespace: "shop", name: "deep")])
        #expect(state.passedOver.values.allSatisfy { $0.hasPrefix("nested more than 64 deep") })
    }

    @Test func `a watch goes on behind an object that cannot be read, until it is gone`() async throws {
        let held = try await run([
            Self.list(7), Self.watch(Self.event("ADDED", Self.object("a", 8)), Self.event("MODIFIED", Self.deep(9))),
        ]) { requests, _ in requests.count >= 3 }
        #expect(held.requests[2].parameters["resourceVersion"] == "9" && held.rig.pauses.withLock { $0 } == [])
        #expect(held.rig.store[Self.collection]?.passedOver.count == 1)
        let (_, rig) = try await run([
            Self.list(7, Self.object("deep", 3, uid: "d", namespace: "shop"), Self.object("a", 3)),
            Self.watch(Self.event("MODIFIED", Self.deep(9)), Self.event("DELETED", Self.deep(10))),
        ]) { requests, _ in requests.count >= 3 }
        #expect(Self.names(rig.store) == ["default/a"])
        #expect(rig.store[Self.collection]?.passedOver.isEmpty == true)
    }

    @Test func `an event over the limit is counted while the watch goes on`() async throws {
        let huge = String(repeating: "x", count: 3 << 20)
        let event = Self.event("ADDED", "{\"metadata\":{\"name\":\"huge\",\"x\":\"\(huge)\"}}")
        let (requests, _) = try await run([Self.list(7), Self.watch(event, ends: false)]) { _, store in
            store[Self.collection]?.counts.oversized == 1
        }
        #expect(requests.count == 2)
    }

    @Test func `one name in two namespaces is two objects`() async throws {
        let (_, rig) = try await run([
            Self.list(7, Self.object("a", 3)),
            Self.watch(
                Self.event("ADDED", Self.object("a", 9, namespace: "shop")),
                Self.event("DELETED", Self.object("a", 10))
            ),
        ]) { requests, _ in requests.count >= 3 }
        #expect(Self.names(rig.store) == ["shop/a"])
    }

    @Test func `an object made anew under a name is not removed with the one before it`() async throws {
        let (_, rig) = try await run([
            Self.list(7, Self.object("a", 3, uid: "old")),
            Self.watch(
                Self.event("DELETED", Self.object("a", 9, uid: "old")),
                Self.event("ADDED", Self.object("a", 10, uid: "new")),
                Self.event("DELETED", Self.object("a", 11, uid: "old"))
            ),
        ]) { requests, _ in requests.count >= 3 }
        #expect(rig.store[Self.collection]?.objects.values.first?.uid == "new")
    }

    // MARK: - Streaming lists

    @Test func `a streaming list replaces what is held when its bookmark comes, and goes on as a watch`() async throws {
        let (requests, rig) = try await run(
            [
                Self.watch(
                    Self.event("ADDED", Self.object("b", 9)),
                    Self.event("ADDED", Self.object("a", 3)),
                    Self.bookmark(12, ends: true),
                    Self.event("DELETED", Self.object("b", 13))
                )
            ],
            streams: true
        ) { requests, _ in requests.count >= 2 }
        #expect(requests[0].parameters["sendInitialEvents"] == "true")
        #expect(requests[0].parameters["resourceVersionMatch"] == "NotOlderThan")
        #expect(requests[1].parameters["resourceVersion"] == "13" && requests[1].parameters["sendInitialEvents"] == nil)
        #expect(Self.names(rig.store) == ["default/a"])
    }

    @Test func `a streaming list cut short leaves no version to continue from`() async throws {
        let (requests, rig) = try await run(
            [
                .steps([
                    .octets(AsyncStream<ServerStep>.chunkedHead),
                    .octets(AsyncStream<ServerStep>.chunk(Array(Self.event("ADDED", Self.object("b", 9)).utf8))),
                    .close,
                ]),
                Self.watch(Self.event("ADDED", Self.object("a", 3)), Self.bookmark(12, ends: true)),
            ],
            streams: true
        ) { requests, _ in requests.count >= 3 }
        #expect(requests[1].parameters["sendInitialEvents"] == "true")
        #expect(Self.names(rig.store) == ["default/a"])
    }

    @Test func `a server that refuses streaming lists is listed, and not asked for one again`() async throws {
        let (requests, rig) = try await run([.answer(422, "{}"), Self.list(7)], streams: true) { requests, _ in
            requests.count >= 3
        }
        #expect(requests[1].parameters["watch"] == nil && requests[1].parameters["resourceVersion"] == "0")
        #expect(!rig.streaming.isOffered)
    }
}
