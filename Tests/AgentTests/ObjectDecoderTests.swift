// Wingmirror · Apache-2.0

import JSONSyntax
import Testing

@testable import Agent
@testable import KubernetesObjects

/// What was decoded of objects, and when it is decoded again.
struct ObjectDecoderTests {
    @Test func `an object with the version and UID of before and other content is decoded anew`() throws {
        let collection = ResourceCollection(
            GroupVersionResource(group: "networking.istio.io", version: "v1", resource: "virtualservices"),
            kind: "VirtualService"
        )
        let store = ObjectStore()
        let decoder = ObjectDecoder(defaultNamespace: "default")
        store.begin(collection)
        func put(_ host: String) throws {
            let object: JSONValue = [
                "metadata": ["name": "a", "namespace": "shop", "uid": "u", "resourceVersion": "7"],
                "spec": ["hosts": [.string(host)]],
            ]
            let (key, stored) = try #require(StoredObject.slimmed(object, of: collection))
            store.upsert(key, stored, in: collection, at: 1)
        }
        func hosts() -> [JSONValue?] {
            decoder.objects(of: store).map { $0.manifest["spec"]?["hosts"]?.arrayValue?.first }
        }
        try put("a.test")
        let first = decoder.objects(of: store)
        #expect(decoder.objects(of: store).first === first.first)
        try put("b.test")
        #expect(hosts() == ["b.test"])
    }
}
