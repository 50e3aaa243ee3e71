// Wingmirror · Apache-2.0

import JSONSyntax
import Testing

@testable import KubernetesObjects

/// Bodies cut anywhere.
struct SplitterTests {
    private static let list = """
        {"kind":"PodList", "apiVersion":"v1","metadata":{"resourceVersion":"12","continue":"t,\\"]}"},
         "items":[ {"metadata":{"name":"a","labels":{"x":"[{\\"\\\\"}}},{"metadata":{"name":"ü"},"l":[1,2,[3]]} ],"x":[{"items":[1]}]}
        """

    @Test func `a list gives its items wherever its body is cut`() throws {
        let octets = Array(Self.list.utf8)
        for cut in octets.indices {
            var splitter = ListSplitter()
            var items: [JSONValue] = []
            try splitter.append(Array(octets[..<cut])) { items.append($0) }
            #expect(!splitter.head.isComplete)
            try splitter.append(Array(octets[cut...])) { items.append($0) }
            #expect(splitter.head.isComplete && splitter.head.resourceVersion == "12" && splitter.head.next == "t,\"]}")
            #expect(splitter.head.kind == "PodList" && splitter.head.apiVersion == "v1")
            #expect(items.map { $0["metadata"]?["name"]?.stringValue } == ["a", "ü"])
            #expect(items.last?["l"]?.arrayValue?.count == 3)
        }
    }

    @Test(arguments: [
        "{\"items\":null,\"metadata\":{\"resourceVersion\":\"1\"}}",
        "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[]}",
    ])
    func `a list without items is whole`(text: String) throws {
        var splitter = ListSplitter()
        try splitter.append(Array(text.utf8)) { _ in Issue.record("there is no item") }
        #expect(splitter.head.isComplete && splitter.head.resourceVersion == "1" && splitter.head.next.isEmpty)
    }

    @Test func `an item that cannot be read is passed over with its name, and the others come`() throws {
        let deep = String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000)
        let text = """
            {"metadata":{"resourceVersion":"9"},"items":[{"status":\(deep),
            "metadata":{"managedFields":[\(deep)],"namespace":"shop","name":"d\\u00e9","uid":"u","resourceVersion":"8"}},
            {"a":},{"metadata":{"name":"b"}}]}
            """
        var splitter = ListSplitter()
        var items: [JSONValue] = []
        try splitter.append(Array(text.utf8)) { items.append($0) }
        #expect(splitter.head.isComplete && items.map { $0["metadata"]?["name"]?.stringValue } == ["b"])
        #expect(splitter.unreadable.map(\.key) == [ObjectKey(namespace: "shop", name: "dé"), nil])
        let first = try #require(splitter.unreadable.first)
        #expect(first.uid == "u" && first.resourceVersion == "8" && first.reason == "nested more than 64 deep")
    }

    @Test(arguments: ["[]", "{\"items\":[{]}", "{}}", "{\"items\":[[}]}"])
    func `what is no list is refused`(text: String) {
        #expect(throws: DocumentError.self) {
            var splitter = ListSplitter()
            try splitter.append(Array(text.utf8)) { _ in }
        }
    }

    @Test func `events come out whole wherever the body is cut`() {
        let octets = Array("{\"a\":\"ü🛒\"}\n\r\n{\"b\":1}\n{\"c\":2}".utf8)
        for cut in octets.indices {
            var splitter = EventSplitter()
            var lines: [String] = []
            splitter.append(Array(octets[..<cut])) { lines.append(String(decoding: $0, as: UTF8.self)) }
            splitter.append(Array(octets[cut...])) { lines.append(String(decoding: $0, as: UTF8.self)) }
            #expect(splitter.hasPartOfEvent)
            splitter.finish { lines.append(String(decoding: $0, as: UTF8.self)) }
            #expect(lines == ["{\"a\":\"ü🛒\"}", "{\"b\":1}", "{\"c\":2}"])
        }
    }

    @Test func `waits grow to half a minute, and begin anew after two good minutes`() {
        var backoff = WatchBackoff()
        let waits = (0..<8).map { _ in backoff.next(random: 0) }
        #expect(waits.prefix(3) == [.milliseconds(800), .milliseconds(1600), .milliseconds(3200)])
        #expect(waits.last == .seconds(30))
        backoff.worked(for: .seconds(119))
        #expect(backoff.next(random: 0) == .seconds(30))
        backoff.worked(for: .seconds(120))
        #expect(backoff.next(random: 0.5) == .milliseconds(1200))
    }

    @Test func `of an EnvoyFilter is kept which proxies it is for, and nothing of what it does`() throws {
        let collection = ResourceCollection(
            GroupVersionResource(group: "networking.istio.io", version: "v1alpha3", resource: "envoyfilters"),
            kind: "EnvoyFilter"
        )
        let object: JSONValue = [
            "metadata": ["name": "a", "namespace": "edge"],
            "spec": [
                "workloadSelector": ["labels": ["istio": "edge"]],
                "configPatches": [
                    [
                        "applyTo": "HTTP_FILTER", "match": ["context": "GATEWAY", "listener": ["portNumber": 80]],
                        "patch": ["value": ["inlineCode": "local secret = 1"]],
                    ],
                    ["applyTo": "CLUSTER"],
                ],
            ],
        ]
        let stored = try #require(StoredObject.slimmed(object, of: collection)).1
        #expect(
            stored.value["spec"] == [
                "workloadSelector": ["labels": ["istio": "edge"]],
                "configPatches": [["match": ["context": "GATEWAY"]], [:]],
            ]
        )
    }

    @Test func `a snapshot is read back, and one that was cut short is not`() throws {
        let object = try #require(
            StoredObject.slimmed(
                ["metadata": ["name": "a"], "spec": ["x": 1]],
                of: ResourceCollection(
                    GroupVersionResource(group: "", version: "v1", resource: "services"),
                    kind: "Service"
                )
            )
        ).1
        let text = ObjectSnapshot.text(of: [object, object], at: 5)
        let read = try #require(ObjectSnapshot.read(text))
        #expect(read.savedAt == 5 && read.objects.count == 2 && read.objects[0]["kind"] == "Service")
        for length in 0..<(text.count - 1) { #expect(ObjectSnapshot.read(Array(text[..<length])) == nil) }
    }
}
