// Wingmirror · Apache-2.0

import JSONSyntax
import ResourceFiles
import RouteAttribution
import Testing

/// Lists in lists, as scripts that join the output of `kubectl` make them.
struct NestedListTests {
    private static func service(_ name: String) -> JSONValue {
        [
            "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": ["name": .string(name)],
            "spec": ["hosts": ["*"]],
        ]
    }

    private static func list(_ kind: String = "List", _ items: JSONValue...) -> JSONValue {
        ["apiVersion": kind == "List" ? "v1" : "networking.istio.io/v1", "kind": .string(kind), "items": .array(items)]
    }

    @Test func `entries of lists in lists count, whether the inner list is typed or not`() {
        let bare: JSONValue = ["metadata": ["name": "d"], "spec": ["hosts": ["*"]]]
        let resources = RouteResources(decoding: [
            Self.list(
                "List",
                Self.service("a"),
                Self.list("List", Self.service("b"), Self.list("List", Self.service("c"))),
                Self.list("VirtualServiceList", bare)
            )
        ])
        #expect(resources.count == 4 && resources.findings.isEmpty)
    }

    @Test func `lists that lie deeper in each other than anybody writes are refused with a finding`() {
        let deep = (0..<20).reduce(Self.service("a")) { value, _ in Self.list("List", value) }
        let resources = RouteResources(decoding: [Self.list("List", Self.service("b"), deep)])
        #expect(resources.findings.map(\.code) == [.refusedObject])
        #expect(resources.count == 2)
    }
}
