// Wingmirror · Apache-2.0

package import JSONSyntax
import Synchronization

/// An API server of a cluster that tests fill: discovery, lists, watches, field selectors; nothing of it is stored.
package final class TestCluster: Sendable {
    /// What the server does with every request, for tests of bad days.
    package enum Mood: Sendable {
        /// Answers.
        case well
        /// Closes connections without an answer.
        case down
        /// Refuses with a status.
        case refusing(Int)
    }

    private struct Watcher {
        let continuation: AsyncStream<ServerStep>.Continuation
        let fieldSelector: String
    }

    private struct Collection {
        let kind: String
        let apiVersion: String
        var objects: [String: JSONValue] = [:]
        var watchers: [Int: Watcher] = [:]
    }

    private struct State {
        var collections: [String: Collection] = [:]
        var version = 100
        /// The version of the latest deletion, which no list can tell of.
        var lastDeletion = 0
        var nextWatcher = 0
        var mood = Mood.well
        var requests: [String] = []
        /// The status with which requests for a path that ends so are refused.
        var refusals: [String: Int] = [:]
    }

    private let state = Mutex(State())

    /// Makes a cluster that serves the core kinds, and the groups that are named.
    package init(
        serving groups: Set<String> = [
            "networking.istio.io", "gateway.networking.k8s.io", "networking.k8s.io", "discovery.k8s.io",
        ]
    ) {
        for kind in Self.kinds where kind.group.isEmpty || groups.contains(kind.group) { serve(kind) }
    }

    private static let kinds: [(group: String, version: String, kind: String, resource: String)] = [
        ("", "v1", "Pod", "pods"), ("", "v1", "Service", "services"), ("", "v1", "Namespace", "namespaces"),
        ("", "v1", "Node", "nodes"), ("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"),
        ("", "v1", "ConfigMap", "configmaps"), ("networking.istio.io", "v1", "Gateway", "gateways"),
        ("networking.istio.io", "v1", "VirtualService", "virtualservices"),
        ("networking.istio.io", "v1", "DestinationRule", "destinationrules"),
        ("networking.istio.io", "v1", "ServiceEntry", "serviceentries"),
        ("gateway.networking.k8s.io", "v1", "GatewayClass", "gatewayclasses"),
        ("gateway.networking.k8s.io", "v1", "Gateway", "gateways"),
        ("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes"),
        ("gateway.networking.k8s.io", "v1", "GRPCRoute", "grpcroutes"),
        ("gateway.networking.k8s.io", "v1", "ReferenceGrant", "referencegrants"),
        ("networking.k8s.io", "v1", "Ingress", "ingresses"),
        ("networking.k8s.io", "v1", "IngressClass", "ingressclasses"),
        ("extensions.istio.io", "v1alpha1", "WasmPlugin", "wasmplugins"),
    ]

    private func serve(_ kind: (group: String, version: String, kind: String, resource: String)) {
        let apiVersion = kind.group.isEmpty ? kind.version : "\(kind.group)/\(kind.version)"
        let path = kind.group.isEmpty ? "/api/v1/\(kind.resource)" : "/apis/\(apiVersion)/\(kind.resource)"
        state.withLock { $0.collections[path] = Collection(kind: kind.kind, apiVersion: apiVersion) }
    }

    /// Serves the kinds of another group from now on, as if its definitions had just been installed.
    package func install(group: String) {
        for kind in Self.kinds where kind.group == group { serve(kind) }
    }

    /// What it does with requests from now on; running watches are cut when it does not answer.
    package var mood: Mood {
        get { state.withLock { $0.mood } }
        set {
            let cut = state.withLock { state -> [Watcher] in
                state.mood = newValue
                if case .well = newValue { return [] }
                let all = state.collections.values.flatMap(\.watchers.values)
                for path in state.collections.keys { state.collections[path]?.watchers = [:] }
                return all
            }
            for watcher in cut {
                watcher.continuation.yield(.close)
                watcher.continuation.finish()
            }
        }
    }

    /// Refuses requests whose path ends with `/` and this, or answers them again; running watches are cut.
    ///
    /// - Parameters:
    ///   - name: A resource, or an API group for its discovery.
    ///   - status: The status; `nil` to answer.
    package func refuse(_ name: String, with status: Int?) {
        let cut = state.withLock { state -> [Watcher] in
            state.refusals["/\(name)"] = status
            guard status != nil else { return [] }
            var cut: [Watcher] = []
            for path in state.collections.keys where path.hasSuffix("/\(name)") {
                cut += state.collections[path].map { Array($0.watchers.values) } ?? []
                state.collections[path]?.watchers = [:]
            }
            return cut
        }
        for watcher in cut {
            watcher.continuation.yield(.close)
            watcher.continuation.finish()
        }
    }

    /// The targets of all requests so far.
    package var requests: [String] { state.withLock { $0.requests } }

    // MARK: - Objects

    /// Adds an object, or puts it in the place of the one of that name.
    package func apply(_ object: JSONValue) {
        change(object) { collection, key, object in
            let type = collection.objects.updateValue(object, forKey: key) == nil ? "ADDED" : "MODIFIED"
            return (type, object)
        }
    }

    /// Removes an object.
    package func delete(_ object: JSONValue) {
        change(object) { collection, key, object in
            collection.objects.removeValue(forKey: key) == nil ? nil : ("DELETED", object)
        }
    }

    private func change(
        _ object: JSONValue,
        _ body: (inout Collection, String, JSONValue) -> (String, JSONValue)?
    ) {
        state.withLock { state in
            let kind = object["kind"]?.stringValue ?? ""
            let version = object["apiVersion"]?.stringValue ?? ""
            guard
                let path = state.collections.first(where: { $0.value.kind == kind && $0.value.apiVersion == version })?
                    .key
            else { preconditionFailure("TestCluster: \(kind) \(version) is not served") }
            state.version += 1
            let name = object["metadata"]?["name"]?.stringValue ?? ""
            let key = "\(object["metadata"]?["namespace"]?.stringValue ?? "")/\(name)"
            let stamped = Self.stamped(object, version: state.version, uid: key)
            guard
                let (type, event) = body(
                    &state.collections[path, default: Collection(kind: "", apiVersion: "")],
                    key,
                    stamped
                )
            else { return }
            let line = JSONValue.object(JSONObject(["type": .string(type), "object": event])).encoded() + [0x0A]
            if type == "DELETED" { state.lastDeletion = state.version }
            let watchers = state.collections[path].map { Array($0.watchers.values) } ?? []
            for watcher in watchers where Self.selects(watcher.fieldSelector, event) {
                watcher.continuation.yield(.octets(AsyncStream<ServerStep>.chunk(line)))
            }
        }
    }

    private static func stamped(_ object: JSONValue, version: Int, uid: String) -> JSONValue {
        guard case .object(let members) = object else { return object }
        var metadata = ["resourceVersion": JSONValue.string(String(version)), "uid": .string(uid)]
        if case .object(let own) = object["metadata"] ?? .null {
            for member in own.members where metadata[member.key] == nil { metadata[member.key] = member.value }
        }
        var all = Dictionary(members.members.map { ($0.key, $0.value) }) { $1 }
        all["metadata"] = JSONValue(metadata)
        return JSONValue(all)
    }

    private static func selects(_ selector: String, _ object: JSONValue) -> Bool {
        let sides = selector.split(separator: "=", maxSplits: 1).map(String.init)
        guard sides.count == 2 else { return true }
        var value: JSONValue? = object
        for part in sides[0].split(separator: ".") { value = value?[String(part)] }
        return value?.stringValue == sides[1]
    }

    // MARK: - Answers

    /// Answers a request, as `TestAPIServer` asks for it.
    package func answer(_ request: ReceivedAPIRequest) -> AsyncStream<ServerStep> {
        state.withLock { state in
            state.requests.append(request.path)
            switch state.mood {
            case .down: return .steps([.close])
            case .refusing(let status): return .answer(status, "{\"kind\":\"Status\",\"code\":\(status)}")
            case .well: break
            }
            if let status = state.refusals.first(where: { request.path.hasSuffix($0.key) })?.value {
                return .answer(status, "{\"kind\":\"Status\",\"code\":\(status)}")
            }
            let namespaced = Self.withoutNamespace(request.path)
            if let collection = state.collections[namespaced.path] {
                let selector = request.parameters["fieldSelector"] ?? ""
                let objects = collection.objects.filter { key, object in
                    (namespaced.namespace == nil || key.hasPrefix("\(namespaced.namespace ?? "")/"))
                        && Self.selects(selector, object)
                }.sorted { $0.key < $1.key }.map(\.value)
                guard request.parameters["watch"] != nil else {
                    return .answer(200, Self.list(objects, of: collection, version: state.version))
                }
                return Self.watch(objects, request, namespaced.path, selector, &state)
            }
            return Self.discovery(request.path, state) ?? .answer(404, "404 page not found", type: "text/plain")
        }
    }

    private static func withoutNamespace(_ path: String) -> (path: String, namespace: String?) {
        var parts = path.split(separator: "/").map(String.init)
        guard let index = parts.firstIndex(of: "namespaces"), index + 2 < parts.count else { return (path, nil) }
        let namespace = parts[index + 1]
        parts.removeSubrange(index...(index + 1))
        return ("/" + parts.joined(separator: "/"), namespace)
    }

    private static func list(_ objects: [JSONValue], of collection: Collection, version: Int) -> String {
        let value: JSONValue = [
            "kind": .string("\(collection.kind)List"), "apiVersion": .string(collection.apiVersion),
            "metadata": ["resourceVersion": .string(String(version))], "items": .array(objects),
        ]
        return String(decoding: value.encoded(), as: UTF8.self)
    }

    private static func watch(
        _ objects: [JSONValue],
        _ request: ReceivedAPIRequest,
        _ path: String,
        _ selector: String,
        _ state: inout State
    ) -> AsyncStream<ServerStep> {
        let (steps, continuation) = AsyncStream.makeStream(of: ServerStep.self)
        continuation.yield(.octets(AsyncStream<ServerStep>.chunkedHead))
        let since = request.parameters["resourceVersion"].flatMap { Int($0) } ?? 0
        let isStreamingList = request.parameters["sendInitialEvents"] == "true"
        if !isStreamingList, since < state.lastDeletion {
            let event = Array("{\"type\":\"ERROR\",\"object\":{\"code\":410}}\n".utf8)
            return .steps([.octets(AsyncStream<ServerStep>.chunkedHead + AsyncStream<ServerStep>.chunk(event)), .close])
        }
        // In the order of the changes, as a real server has it: a client whose connection breaks among these continues behind the
        // last one that it saw, and never hears of an older one that would have come after that.
        for (version, object) in objects.map({ (Self.version(of: $0), $0) }).sorted(by: { $0.0 < $1.0 }) {
            guard isStreamingList || version > since else { continue }
            let event: JSONValue = ["type": "ADDED", "object": object]
            continuation.yield(.octets(AsyncStream<ServerStep>.chunk(event.encoded() + [0x0A])))
        }
        if isStreamingList {
            let bookmark: JSONValue = [
                "type": "BOOKMARK",
                "object": [
                    "metadata": [
                        "resourceVersion": .string(String(state.version)),
                        "annotations": ["k8s.io/initial-events-end": "true"],
                    ]
                ],
            ]
            continuation.yield(.octets(AsyncStream<ServerStep>.chunk(bookmark.encoded() + [0x0A])))
        }
        state.nextWatcher += 1
        state.collections[path]?.watchers[state.nextWatcher] = Watcher(
            continuation: continuation,
            fieldSelector: selector
        )
        return steps
    }

    private static func version(of object: JSONValue) -> Int {
        object["metadata"]?["resourceVersion"]?.stringValue.flatMap { Int($0) } ?? 0
    }

    private static func discovery(_ path: String, _ state: State) -> AsyncStream<ServerStep>? {
        if path == "/version" { return .answer(200, "{\"major\":\"1\",\"minor\":\"36\"}") }
        let all = state.collections.filter { $0.key.hasPrefix("/apis/") }
        let parts = path.split(separator: "/").map(String.init)
        guard parts.first == "apis", parts.count == 2 || parts.count == 3 else { return nil }
        let own = all.filter { $0.value.apiVersion.hasPrefix(parts[1] + "/") }
        guard !own.isEmpty else { return nil }
        guard parts.count == 3 else {
            let versions = Set(own.values.map { $0.apiVersion.dropFirst(parts[1].count + 1) }).sorted()
            let list = versions.map { "{\"version\":\"\($0)\"}" }.joined(separator: ",")
            return .answer(200, "{\"kind\":\"APIGroup\",\"versions\":[\(list)]}")
        }
        let served = own.filter { $0.value.apiVersion == "\(parts[1])/\(parts[2])" }
        guard !served.isEmpty else { return nil }
        let names = served.keys.sorted().map { path in
            "{\"name\":\"\(path.split(separator: "/").last ?? "")\",\"verbs\":[\"list\",\"watch\"]}"
        }
        return .answer(200, "{\"kind\":\"APIResourceList\",\"resources\":[\(names.joined(separator: ","))]}")
    }
}
